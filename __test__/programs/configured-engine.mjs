// Asks for each engine by `configure` once one is in use. Prints the code of the error of each, null where there
// was none.

import { configure, engineInfo } from 'light-speed-io';

engineInfo();
const codeOf = (engine) => {
  try {
    configure({ engine });
    return null;
  } catch (error) {
    return error.code;
  }
};
const answers = ['pread', 'auto', 'uring'].map((engine) => [engine, codeOf(engine)]);
console.log(JSON.stringify(Object.fromEntries(answers)));

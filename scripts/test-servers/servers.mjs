// The servers of the tests, each a real one of its kind.

import azurite from './azurite.mjs';
import fakeGcsServer from './fake-gcs-server.mjs';
import nginx from './nginx.mjs';
import versitygw from './versitygw.mjs';

export const SERVERS = [versitygw, fakeGcsServer, azurite, nginx];

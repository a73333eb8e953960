// Which C library Node runs on: prebuilt addons are for one of them.

/** The version of glibc at run time, such as `2.36`; undefined where there is no glibc. */
export function glibcVersion(): string | undefined {
  const report = process.report?.getReport() as
    { readonly header?: { readonly glibcVersionRuntime?: string } } | undefined;
  return report?.header?.glibcVersionRuntime;
}

/** The version of this package, as sent in the `User-Agent` header. Equal to the one in package.json (tested). */
export const VERSION = "2.0.0";

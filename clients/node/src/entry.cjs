"use strict";
// What `require` gets: the class itself, which carries every other export, also under the names Lotus and default.
const library = require("./index.js");

module.exports = Object.assign(library.Lotus, library, { default: library.Lotus });

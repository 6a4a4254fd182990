// What `import` gets.
export * from "./index.js";
export { Lotus as default } from "./index.js";

#!/usr/bin/env node
// The npm build of solc behind the command line of the native one: what py-solc-x, Forge and Slither call.
// solcjs itself prints a ">>>" line before its answer and refuses --allow-paths, so it cannot stand in.
"use strict";

const fs = require("fs");
const path = require("path");
const solc = require("solc");

const USAGE = `Usage: solc.js --version
       solc.js --standard-json [FILE] [--base-path DIR] [--include-path DIR]... [--allow-paths DIR,...]
       solc.js --combined-json FIELDS FILE... [--optimize] [--optimize-runs N] [--evm-version NAME] [--base-path DIR] ...
Without FILE, --standard-json reads standard input.`;

class UsageMistake extends Error {}

function parse(args) {
  const asked = { mode: null, files: [], includePaths: [], basePath: "", allowPaths: [], runs: 200, remappings: [] };
  const value = (i) => {
    if (i >= args.length) throw new UsageMistake(`${args[i - 1]} needs a value`);
    return args[i];
  };
  for (let i = 0; i < args.length; i++) {
    const [flag, inline] = args[i].startsWith("--") ? splitOnce(args[i]) : [args[i], undefined];
    const next = () => (inline !== undefined ? inline : value(++i));
    switch (flag) {
      case "--version": asked.mode = "version"; break;
      case "--help": asked.mode = "help"; break;
      case "--standard-json": asked.mode = "standard"; break;
      case "--combined-json": asked.mode = "combined"; asked.fields = next().split(","); break;
      case "--allow-paths": asked.allowPaths.push(...next().split(",").filter(Boolean)); break;
      case "--base-path": asked.basePath = next(); break;
      case "--include-path": asked.includePaths.push(next()); break;
      case "--evm-version": asked.evmVersion = next(); break;
      case "--optimize": asked.optimize = true; break;
      case "--optimize-runs": asked.optimize = true; asked.runs = Number(next()); break;
      case "--via-ir": asked.viaIR = true; break;
      case "-": break;
      default:
        if (args[i].startsWith("-")) throw new UsageMistake(`unknown option ${args[i]}`);
        if (args[i].includes("=")) asked.remappings.push(args[i]);
        else asked.files.push(args[i]);
    }
  }
  return asked;
}

function splitOnce(argument) {
  const cut = argument.indexOf("=");
  return cut < 0 ? [argument, undefined] : [argument.slice(0, cut), argument.slice(cut + 1)];
}

function versionText() {
  return `solc, the solidity compiler commandline interface\nVersion: ${solc.version()}\n`;
}

// Like the native compiler, an import is read only below the base, include and allowed directories and those of the sources.
function reader(asked, sourceNames) {
  const roots = [asked.basePath || ".", ...asked.includePaths];
  const allowed = [...roots, ...asked.allowPaths, ...sourceNames.map((name) => path.dirname(path.resolve(name)))].map(real);
  return (name) => {
    for (const root of roots) {
      const file = real(path.resolve(root, name));
      if (!fs.existsSync(file)) continue;
      if (!allowed.some((directory) => file === directory || file.startsWith(directory + path.sep))) {
        return { error: `File outside of allowed directories: ${name}` };
      }
      return { contents: fs.readFileSync(file, "utf8") };
    }
    return { error: `File not found: ${name}; looked in ${roots.join(", ")}` };
  };
}

function real(file) {
  try {
    return fs.realpathSync(file);
  } catch {
    return path.resolve(file);
  }
}

// `urls` sources are files to be read by the compiler; the npm build knows only `content`.
function inlineUrls(input, read) {
  for (const source of Object.values(input.sources || {})) {
    if (source.content !== undefined || !source.urls) continue;
    const found = source.urls.map(read).find((answer) => answer.contents !== undefined);
    if (found) source.content = found.contents;
  }
}

function standardJson(asked) {
  const input = JSON.parse(fs.readFileSync(asked.files.length ? asked.files[0] : 0, "utf8"));
  const read = reader(asked, Object.keys(input.sources || {}));
  inlineUrls(input, read);
  return solc.compile(JSON.stringify(input), { import: read }) + "\n";
}

const COMBINED = {
  abi: ["abi", (c) => c.abi],
  bin: ["evm.bytecode.object", (c) => c.evm.bytecode.object],
  "bin-runtime": ["evm.deployedBytecode.object", (c) => c.evm.deployedBytecode.object],
  srcmap: ["evm.bytecode.sourceMap", (c) => c.evm.bytecode.sourceMap],
  "srcmap-runtime": ["evm.deployedBytecode.sourceMap", (c) => c.evm.deployedBytecode.sourceMap],
  userdoc: ["userdoc", (c) => c.userdoc],
  devdoc: ["devdoc", (c) => c.devdoc],
  hashes: ["evm.methodIdentifiers", (c) => c.evm.methodIdentifiers],
  "storage-layout": ["storageLayout", (c) => c.storageLayout],
  metadata: ["metadata", (c) => c.metadata],
};

function combinedJson(asked) {
  const fields = asked.fields.filter((field) => COMBINED[field]);
  const settings = {
    optimizer: { enabled: Boolean(asked.optimize), runs: asked.runs },
    remappings: asked.remappings,
    outputSelection: { "*": { "*": fields.map((field) => COMBINED[field][0]), "": ["ast"] } },
  };
  if (asked.evmVersion) settings.evmVersion = asked.evmVersion;
  if (asked.viaIR) settings.viaIR = true;
  const sources = {};
  for (const file of asked.files) sources[file] = { content: fs.readFileSync(path.resolve(asked.basePath, file), "utf8") };
  const read = reader(asked, asked.files);
  const output = JSON.parse(solc.compile(JSON.stringify({ language: "Solidity", sources, settings }), { import: read }));
  for (const problem of output.errors || []) process.stderr.write(problem.formattedMessage + "\n");
  if ((output.errors || []).some((problem) => problem.severity === "error")) return null;
  return JSON.stringify(combined(output, fields)) + "\n";
}

function combined(output, fields) {
  const answer = { contracts: {}, sourceList: Object.keys(output.sources), sources: {}, version: solc.version() };
  for (const [file, contracts] of Object.entries(output.contracts || {})) {
    for (const [name, contract] of Object.entries(contracts)) {
      const picked = fields.map((field) => [field, COMBINED[field][1](contract)]);
      answer.contracts[`${file}:${name}`] = Object.fromEntries(picked);
    }
  }
  for (const [file, source] of Object.entries(output.sources)) answer.sources[file] = { AST: source.ast };
  return answer;
}

function main() {
  let asked;
  try {
    asked = parse(process.argv.slice(2));
  } catch (mistake) {
    if (!(mistake instanceof UsageMistake)) throw mistake;
    process.stderr.write(`Error: ${mistake.message}\n${USAGE}\n`);
    return 1;
  }
  if (asked.mode === "version") return write(versionText());
  if (asked.mode === "help") return write(USAGE + "\n");
  if (asked.mode === "standard") return write(standardJson(asked));
  if (asked.mode === "combined") return write(combinedJson(asked));
  process.stderr.write(USAGE + "\n");
  return 1;
}

// Written to the descriptor at once: process.exit would cut a large answer short on a pipe.
function write(text) {
  if (text === null) return 1;
  const bytes = Buffer.from(text);
  for (let done = 0; done < bytes.length;) done += writeSome(bytes, done);
  return 0;
}

function writeSome(bytes, from) {
  try {
    return fs.writeSync(1, bytes, from);
  } catch (failure) {
    if (failure.code === "EPIPE") process.exit(1); // the reader went away: nobody is left to tell
    if (failure.code !== "EAGAIN") throw failure;
    return 0;
  }
}

process.exitCode = main();

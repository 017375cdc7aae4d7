// Prints the files of packages that are loaded when the given one is: `modules.js FILE`.
const path = require("node:path");
require(path.resolve(process.argv[2]));
const marker = `${path.sep}node_modules${path.sep}`;
const files = Object.keys(require.cache).filter((file) => file.includes(marker));
process.stdout.write(JSON.stringify(files.map((file) => file.split(marker).at(-1))), () => process.exit());

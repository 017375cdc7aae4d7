const fs = require("node:fs");
const { ApiObject, App, Chart } = require("cdk8s");

const app = new App();
const chart = new Chart(app, "bench");
for (const object of JSON.parse(fs.readFileSync("objects.json", "utf8")))
  new ApiObject(chart, `${object.kind}-${object.metadata.name}`.toLowerCase(), object);
app.synth();

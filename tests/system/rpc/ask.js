// Makes the calls that its input lists, all at once, by grpc-js, and writes how each has ended.
// It is given the node's address and a file of descriptors; all else is JSON.
const { readFileSync } = require("node:fs");
const grpc = require("@grpc/grpc-js");
const { loadFileDescriptorSetFromBuffer } = require("@grpc/proto-loader");

const [address, descriptors] = process.argv.slice(2);
const kinds = { bytes: String, enums: String };
const definition = loadFileDescriptorSetFromBuffer(readFileSync(descriptors), kinds);
const contract = grpc.loadPackageDefinition(definition);
const clients = {};

function clientOf(service) {
  if (!clients[service]) {
    const Client = service.split(".").reduce((within, part) => within[part], contract);
    clients[service] = new Client(address, grpc.credentials.createInsecure());
  }
  return clients[service];
}

function ask({ service, method, request, seconds }) {
  const deadline = Date.now() + seconds * 1000;
  return new Promise((resolve) => {
    clientOf(service)[method](request, { deadline }, (error, answer) => {
      if (!error) return resolve({ answer });
      const [details] = error.metadata.get("grpc-status-details-bin");
      resolve({ code: error.code, words: error.details, details: details?.toString("base64") });
    });
  });
}

Promise.all(JSON.parse(readFileSync(0)).map(ask)).then((outcomes) => {
  console.log(JSON.stringify(outcomes));
  Object.values(clients).forEach((client) => client.close());
});

// Requests of Node's client over a keep-alive agent: node_agent.js URL REQUESTS SOCKETS.
// Writes as JSON the bodies, and the local ports of the connections that they came over.
'use strict';
const http = require('http');

const [url, requests, sockets] = process.argv.slice(2);
const agent = new http.Agent({ keepAlive: true, maxSockets: Number(sockets) });

function get() {
  return new Promise((resolve, reject) => {
    const request = http.get(url, { agent }, (response) => {
      const port = response.socket.localPort;
      const parts = [];
      response.on('data', (part) => parts.push(part));
      response.on('end', () => resolve({ body: Buffer.concat(parts).toString(), port }));
    });
    request.on('error', reject);
  });
}

Promise.all(Array.from({ length: Number(requests) }, get)).then((answers) => {
  const ports = [...new Set(answers.map((answer) => answer.port))];
  process.stdout.write(JSON.stringify({ bodies: answers.map((answer) => answer.body), ports }));
  agent.destroy();
});

// Requests by Node's client, one after the other: node_client.js SPECS, where SPECS is a list in JSON.
// The bodies come in by standard input, one behind the other. Writes for each response a line of JSON with its status,
// fields, trailers and size, and then its body.
'use strict';
const fs = require('fs');
const http = require('http');
const https = require('https');

let rest = fs.readFileSync(0);

function send(request, spec, body) {
  if (spec.trailers) request.setHeader('Trailer', Object.keys(spec.trailers).join(', '));
  if (spec.chunked) {
    request.setHeader('Transfer-Encoding', 'chunked');
    for (let at = 0; at < body.length; at += spec.piece) request.write(body.subarray(at, at + spec.piece));
  } else if (spec.size !== null) {
    request.setHeader('Content-Length', body.length);
    request.write(body);
  }
  if (spec.trailers) request.addTrailers(spec.trailers);
  request.end();
}

function exchange(spec) {
  const body = rest.subarray(0, spec.size || 0);
  rest = rest.subarray(body.length);
  const options = { method: spec.method, headers: spec.headers };
  if (spec.trusted_ca) options.ca = fs.readFileSync(spec.trusted_ca);
  return new Promise((resolve, reject) => {
    const request = (spec.trusted_ca ? https : http).request(spec.url, options, (response) => {
      const parts = [];
      response.on('data', (part) => parts.push(part));
      response.on('end', () => {
        const { statusCode: status, rawHeaders: fields, trailers } = response;
        const received = Buffer.concat(parts);
        process.stdout.write(JSON.stringify({ status, fields, trailers, size: received.length }) + '\n');
        process.stdout.write(received);
        resolve();
      });
    });
    request.on('error', reject);
    send(request, spec, body);
  });
}

(async () => {
  for (const spec of JSON.parse(process.argv[2])) await exchange(spec);
})();

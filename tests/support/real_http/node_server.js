// Node's server with an application that servers.py describes: node_server.js DESCRIPTOR CONTENT [CERTIFICATE KEY].
// CONTENT: what content.py holds, as JSON.
'use strict';
const crypto = require('crypto');
const fs = require('fs');
const http = require('http');
const https = require('https');
const net = require('net');

const [descriptor, contentText, certificate, key] = process.argv.slice(2);
const content = JSON.parse(contentText);
const waiting = new Map();

function pattern(size) {
  const blocks = [];
  for (let number = 0; number * 64 < size; number++) blocks.push(String(number).padStart(63, '0') + '\n');
  return Buffer.from(blocks.join('')).subarray(0, size);
}

function gate(token) {
  if (!waiting.has(token)) {
    const made = {};
    made.passed = new Promise((resolve) => { made.open = resolve; });
    waiting.set(token, made);
  }
  return waiting.get(token);
}

function described(request, body) {
  return JSON.stringify({
    method: request.method,
    target: request.url,
    headers: request.headers,
    connection: String(request.socket.remotePort),
    size: body.length,
    sha256: crypto.createHash('sha256').update(body).digest('hex'),
    trailers: request.trailers,
  });
}

const answers = {
  '/describe': (request, response, query, body) => {
    response.setHeader('Content-Type', 'application/json');
    response.end(described(request, body));
  },
  '/pattern': (request, response, query) => {
    const data = pattern(Number(query.get('size')));
    if (!query.has('chunked')) response.setHeader('Content-Length', data.length);
    for (let at = 0; at < data.length; at += content.piece) response.write(data.subarray(at, at + content.piece));
    response.end();
  },
  '/status': (request, response, query) => {
    response.writeHead(Number(query.get('code')), { ETag: content.etag });
    response.end();
  },
  '/gzip': (request, response) => {
    const data = Buffer.from(content.gzipped, 'base64');
    response.writeHead(200, { 'Content-Encoding': 'gzip', 'Content-Length': data.length });
    response.end(data);
  },
  '/cookies': (request, response) => {
    response.writeHead(200, { 'Set-Cookie': content.cookies });
    response.end();
  },
  '/redirect': (request, response) => {
    response.writeHead(302, { Location: content.location });
    response.end();
  },
  '/events': async (request, response, query) => {
    response.writeHead(200, { 'Content-Type': 'text/event-stream' });
    for (const event of content.events) {
      response.write(event);
      await gate(query.get('token')).passed;
    }
    response.end();
  },
  '/go': (request, response, query) => {
    gate(query.get('token')).open();
    response.end();
  },
  '/trailers': (request, response) => {
    response.writeHead(200, { Trailer: 'X-Digest' });
    response.write(pattern(1000));
    response.addTrailers({ 'X-Digest': 'of the body' });
    response.end();
  },
  '/last': (request, response) => {
    response.writeHead(200, { Connection: 'close' });
    response.end('last');
  },
  '/early': (request, response) => {
    response.writeEarlyHints({ link: '</style.css>; rel=preload' });
    response.end('late');
  },
};

function answer(request, response) {
  const [path, query] = request.url.split('?');
  const parts = [];
  request.on('data', (part) => parts.push(part));
  request.on('end', () => {
    if (answers[path]) return answers[path](request, response, new URLSearchParams(query), Buffer.concat(parts));
    response.writeHead(404);
    response.end();
  });
}

const server = certificate
  ? https.createServer({ cert: fs.readFileSync(certificate), key: fs.readFileSync(key) })
  : http.createServer();
server.on('request', answer);
server.on('checkContinue', (request, response) => {
  if (request.url === '/refuse') {
    response.writeHead(413, { Connection: 'close' });
    response.end('too much');
    return;
  }
  response.writeContinue();
  answer(request, response);
});
server.on('connect', (request, downstream, head) => {
  const [host, port] = request.url.split(':');
  const upstream = net.connect({ host, port, allowHalfOpen: true }, () => {
    downstream.write('HTTP/1.1 200 Connection established\r\n\r\n');
    upstream.write(head);
    upstream.pipe(downstream);
    downstream.pipe(upstream);
  });
  upstream.on('error', () => downstream.destroy());
  downstream.on('error', () => upstream.destroy());
});
server.listen({ fd: Number(descriptor) });

#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""answer-server.py SOCKET SERVER.json RESOURCES.json: a daemon that only knows GET /1.0 and GET /1.0/resources.

Two clients are shown the same answers, among them such as no test machine gives.
"""
import http.server
import json
import os
import socketserver
import sys

path, server, resources = sys.argv[1:4]
answers = {"/1.0": json.load(open(server)), "/1.0/resources": json.load(open(resources))}


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        found = answers.get(self.path.split("?")[0])
        status = 200 if found else 404
        body = {"type": "sync", "status": "Success", "status_code": 200, "metadata": found}
        if not found:
            body = {"type": "error", "error": "not found", "error_code": 404}
        text = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def address_string(self):
        return "local"

    def log_message(self, *args):
        pass


class Server(socketserver.ThreadingMixIn, socketserver.UnixStreamServer):
    daemon_threads = True


if os.path.exists(path):
    os.unlink(path)
Server(path, Handler).serve_forever()

#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Known TCP traffic on this host: connections with one-byte requests and replies.

    traffic.py ADDRESS PORT ROUNDS [CONNECTIONS [CLIENT-ADDRESS]]

Prints the client's port of the last connection.
"""
import socket
import sys
import threading


def serve(listener):
    conn, _ = listener.accept()
    with conn:
        while data := conn.recv(4096):
            conn.sendall(data)


def main():
    addr, port, rounds = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    connections = int(sys.argv[4]) if len(sys.argv) > 4 else 1
    client_addr = (sys.argv[5], 0) if len(sys.argv) > 5 else None
    family = socket.AF_INET6 if ":" in addr else socket.AF_INET
    listener = socket.socket(family)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind((addr, port))
    listener.listen()
    for _ in range(connections):
        server = threading.Thread(target=serve, args=(listener,))
        server.start()
        with socket.create_connection((addr, port), source_address=client_addr) as client:
            me = client.getsockname()[1]
            for _ in range(rounds):
                client.sendall(b"x")
                client.recv(1)
        server.join()
    print(me)


main()

#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""Small peers for tests of state. Each prints one line that says what became of it.

    ask.py dns ADDRESS NAME [tcp]       the address that a DNS server gives
    ask.py serve PORT                   TCP: sends every line back, all connections in one process
    ask.py churn ADDRESS PORT SECONDS   short connections one after the other: how many, how many failed
    ask.py hold ADDRESS PORT COUNT      keeps connections busy until SIGTERM: how many are alive
    ask.py flood ADDRESS PORT SECONDS INTERFACE MAC   SYNs from random sources
    ask.py raw INTERFACE HEX...         sends frames as they are
"""
import random
import selectors
import signal
import socket
import struct
import sys
import time


def family_of(address):
    return socket.AF_INET6 if ":" in address else socket.AF_INET


def dns(address, name, transport="udp"):
    labels = b"".join(bytes([len(part)]) + part.encode() for part in name.split("."))
    query = struct.pack("!6H", random.getrandbits(16), 0x0100, 1, 0, 0, 0) + labels + b"\0\0\1\0\1"
    kind = socket.SOCK_STREAM if transport == "tcp" else socket.SOCK_DGRAM
    with socket.socket(family_of(address), kind) as sock:
        sock.settimeout(2)
        try:
            sock.connect((address, 53))
            if transport == "tcp":
                sock.sendall(struct.pack("!H", len(query)) + query)
                answer = sock.recv(4096)[2:]
            else:
                sock.send(query)
                answer = sock.recv(4096)
        except OSError as error:
            return print(type(error).__name__)
    print(socket.inet_ntoa(answer[-4:]))


def serve(port):
    chooser = selectors.DefaultSelector()
    for family, address in ((socket.AF_INET, "0.0.0.0"), (socket.AF_INET6, "::")):
        sock = socket.socket(family, socket.SOCK_STREAM)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:
            sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        sock.bind((address, int(port)))
        sock.listen(4096)
        chooser.register(sock, selectors.EVENT_READ, "listener")
    while True:
        for key, _ in chooser.select():
            sock = key.fileobj
            if key.data == "listener":
                chooser.register(sock.accept()[0], selectors.EVENT_READ, None)
                continue
            try:
                data = sock.recv(65536)
                if data:
                    sock.sendall(data)
            except OSError:
                data = b""
            if not data:
                chooser.unregister(sock)
                sock.close()


def churn(address, port, seconds):
    end = time.monotonic() + float(seconds)
    good = failed = 0
    reset = struct.pack("ii", 1, 0)
    while time.monotonic() < end:
        sock = socket.socket(family_of(address), socket.SOCK_STREAM)
        sock.settimeout(2)
        try:
            sock.connect((address, int(port)))
            sock.sendall(b"hello\n")
            good += sock.recv(64) == b"hello\n"
            # Every second one is reset, so that the ports do not run out in TIME_WAIT.
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, reset)
        except OSError:
            failed += 1
        sock.close()
    print(good, failed)


def hold(address, port, count):
    socks = []
    ended = []
    signal.signal(signal.SIGTERM, lambda *_: ended.append(True))
    for _ in range(int(count)):
        sock = socket.create_connection((address, int(port)), timeout=5)
        sock.sendall(b"x")
        sock.recv(1)
        socks.append(sock)
    print("ready", flush=True)
    dead = set()
    rounds = 0
    while not ended:
        rounds += 1
        for sock in socks:
            if sock in dead:
                continue
            try:
                sock.sendall(b"x")
                if sock.recv(1) != b"x":
                    dead.add(sock)
            except OSError:
                dead.add(sock)
        time.sleep(0.05)
    print(len(socks) - len(dead), rounds)


def checksum(data):
    total = sum(struct.unpack("!%dH" % (len(data) // 2), data))
    total = (total & 0xFFFF) + (total >> 16)
    return ~(total + (total >> 16)) & 0xFFFF


def flood(address, port, seconds, interface, mac):
    sock = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
    sock.bind((interface, 0))
    target = socket.inet_aton(address)
    link = bytes.fromhex(mac.replace(":", "")) + b"\2\0\0\0\0\1" + b"\x08\0"
    end = time.monotonic() + float(seconds)
    sent = 0
    while time.monotonic() < end:
        for _ in range(1000):
            source = struct.pack("!I", 0x0B000000 | random.getrandbits(24))
            head = struct.pack("!BBHHHBBH", 0x45, 0, 40, 0, 0, 64, 6, 0) + source + target
            head = head[:10] + struct.pack("!H", checksum(head)) + head[12:]
            tcp = struct.pack("!HHIIBBHHH", random.randrange(1024, 65536), int(port),
                              random.getrandbits(32), 0, 0x50, 2, 65535, 0, 0)
            pseudo = source + target + struct.pack("!HH", 6, len(tcp))
            tcp = tcp[:16] + struct.pack("!H", checksum(pseudo + tcp)) + tcp[18:]
            try:
                sock.send(link + head + tcp)
                sent += 1
            except OSError:
                pass
    print(sent)


def raw(interface, *frames):
    sock = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
    sock.bind((interface, 0))
    for frame in frames:
        sock.send(bytes.fromhex(frame))


COMMANDS = {"dns": dns, "serve": serve, "churn": churn, "hold": hold, "flood": flood, "raw": raw}

if __name__ == "__main__":
    COMMANDS[sys.argv[1]](*sys.argv[2:])

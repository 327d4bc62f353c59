# SPDX-License-Identifier: MIT
#
# pairs.py PORT NAME long|short|many COUNT: a server on 127.0.0.1 and its client, which begins with a
# line on stdin: one connection with COUNT round trips, or COUNT connections that are closed at
# once. "many": COUNT connections of one process with itself, one byte a millisecond in turn for
# 60 seconds. Prints both processes' numbers; they are called lnk-NAME-server and lnk-NAME-client.
import os, resource, signal, socket, sys, time

signal.alarm(300)
port, name, how, count = int(sys.argv[1]), sys.argv[2], sys.argv[3], int(sys.argv[4])
def call_me(name):
    with open("/proc/self/comm", "w") as f:
        f.write(name)
def recv(s, n):
    return s.recv(n, socket.MSG_WAITALL)
def connect():
    return socket.create_connection(("127.0.0.1", port))

listener = socket.socket()
listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
listener.bind(("127.0.0.1", port))
listener.listen(1024)
if how == "many":
    resource.setrlimit(resource.RLIMIT_NOFILE, (resource.getrlimit(resource.RLIMIT_NOFILE)[1],) * 2)
    call_me(f"lnk-{name}")
    both = [(connect(), listener.accept()[0]) for _ in range(count)]
    print(os.getpid(), flush=True)
    end = time.time() + 60
    while time.time() < end:
        for s, t in both:
            s.sendall(b"x")
            t.recv(1)
            time.sleep(0.001)
    sys.exit()
client = os.fork()
if not client:
    listener.close()
    signal.alarm(300)
    call_me(f"lnk-{name}-client")
    sys.stdin.readline()
    if how == "long":
        s = connect()
        recv(s, 1) # it is accepted
        try:
            for _ in range(count):
                s.sendall(b"x" * 100)
                recv(s, 100)
                time.sleep(0.005)
        except OSError:
            pass # the server was killed
        s.close()
    for _ in range(count if how == "short" else 0):
        s = connect()
        s.sendall(b"x" * 100)
        s.close()
        time.sleep(0.002)
    os._exit(0)
call_me(f"lnk-{name}-server")
print(os.getpid(), client, flush=True)
for _ in range(count if how == "short" else 1):
    s, _ = listener.accept()
    if how == "long":
        s.sendall(b"!")
    while data := recv(s, 100):
        if how == "long":
            s.sendall(data)
    s.close()
os.waitpid(client, 0)
time.sleep(1)

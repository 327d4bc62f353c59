// SPDX-License-Identifier: MIT
/*
 * loadgen: TCP traffic for measuring, bounded in time, with its server in the same process.
 *
 *	loadgen rtt   [-t SECONDS] [-c PAIRS] [-f FLOWS] [-P]
 *	loadgen bulk  [-t SECONDS] [-c PAIRS] [-a ADDRESS -s NETNS -n NETNS]
 *	loadgen storm [-t SECONDS] [-c PAIRS]
 *
 * rtt: each of PAIRS client threads sends one byte and waits for the one that its server
 * thread sends back. With -f each pair has FLOWS connections and uses them in turn: the
 * number of flows grows, the number of threads does not. bulk: each client thread sends
 * as fast as its server thread reads. storm: each client thread connects, sends one byte,
 * gets it back and closes, again and again.
 *
 * -P puts both threads of a pair on the same processor, pair by pair on the next one: no
 * wake-up crosses processors, all of them are busy, and the rate has one mode instead of
 * several. -s and -n name the network namespaces (/proc/PID/ns/net) of the server and of
 * the client (default: the one it is started in); -a is the server's IPv4 address (127.0.0.1).
 *
 * Prints one line: round trips, bytes or connections per second.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define MAX_PAIRS 1000
#define MAX_FLOWS 20000
#define BULK_BYTES ((size_t)128 << 10)
#define WARM_UP_NS 100000000
/* storm: loopback has a whole network of addresses. Going round them keeps connections
 * in TIME_WAIT from using up the ports of one. */
#define STORM_ADDRESSES 200

struct pair {
	pthread_t client, server;
	int cpu;                /* -1: wherever the scheduler puts them */
	int listener;           /* storm */
	int *near, *far;        /* rtt, bulk: the flows' ends */
	_Atomic uint64_t count; /* only the counting thread writes */
};

static struct {
	double seconds;
	int pairs, flows;
	bool pinned;
	struct in_addr address;
	const char *server_ns, *client_ns;
	int own_ns; /* where the client is unless -n says otherwise */
	_Atomic bool stop;
} load = { .seconds = 1, .pairs = 1, .flows = 1 };

static _Noreturn void die(const char *what)
{
	fprintf(stderr, "loadgen: %s: %s\n", what, strerror(errno));
	exit(1);
}

/* --- sockets ------------------------------------------------------------------------ */

static void enter(const char *ns)
{
	int fd = open(ns, O_RDONLY | O_CLOEXEC);

	if (fd < 0 || setns(fd, CLONE_NEWNET))
		die(ns);
	close(fd);
}

static int new_socket(void)
{
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), on = 1;

	if (fd < 0)
		die("socket");
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	return fd;
}

/* Listens on a port that the kernel chooses; fills in where. */
static int listen_on(struct in_addr address, struct sockaddr_in *at)
{
	socklen_t len = sizeof(*at);
	int fd = new_socket();

	*at = (struct sockaddr_in){ .sin_family = AF_INET, .sin_addr = address };
	if (bind(fd, (struct sockaddr *)at, sizeof(*at)) || listen(fd, 1024) ||
	    getsockname(fd, (struct sockaddr *)at, &len))
		die("listen");
	return fd;
}

static int connect_to(const struct sockaddr_in *at)
{
	int fd = new_socket();

	if (!connect(fd, (const struct sockaddr *)at, sizeof(*at)))
		return fd;
	if (!load.stop)
		die("connect");
	close(fd);
	return -1;
}

static void connect_pair(struct pair *p)
{
	struct sockaddr_in at;
	int i, listener, on = 1;

	p->near = calloc((size_t)load.flows, sizeof(*p->near));
	p->far = calloc((size_t)load.flows, sizeof(*p->far));
	if (!p->near || !p->far)
		die("memory");
	if (load.server_ns)
		enter(load.server_ns);
	listener = listen_on(load.address, &at);
	if (load.client_ns)
		enter(load.client_ns);
	else if (load.server_ns && setns(load.own_ns, CLONE_NEWNET))
		die("setns");
	for (i = 0; i < load.flows; i++) {
		p->near[i] = connect_to(&at);
		p->far[i] = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
		if (p->far[i] < 0)
			die("accept");
		setsockopt(p->far[i], IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	}
	close(listener);
}

/* --- threads ------------------------------------------------------------------------ */

static void settle(const struct pair *p)
{
	cpu_set_t set;

	if (p->cpu < 0)
		return;
	CPU_ZERO(&set);
	CPU_SET(p->cpu, &set);
	sched_setaffinity(0, sizeof(set), &set);
}

static void add(struct pair *p, uint64_t n)
{
	atomic_store_explicit(&p->count, p->count + n, memory_order_relaxed);
}

static void *rtt_client(void *arg)
{
	struct pair *p = arg;
	char byte = 'x';
	int i = 0;

	settle(p);
	while (!load.stop) {
		if (send(p->near[i], &byte, 1, MSG_NOSIGNAL) != 1 ||
		    recv(p->near[i], &byte, 1, 0) != 1)
			break;
		add(p, 1);
		if (++i == load.flows)
			i = 0;
	}
	return NULL;
}

/* The client uses its flows in a known order, so the server need not ask which is ready. */
static void *rtt_server(void *arg)
{
	struct pair *p = arg;
	char byte;
	int i = 0;

	settle(p);
	while (recv(p->far[i], &byte, 1, 0) == 1 && send(p->far[i], &byte, 1, MSG_NOSIGNAL) == 1)
		if (++i == load.flows)
			i = 0;
	return NULL;
}

static void *bulk_client(void *arg)
{
	struct pair *p = arg;
	char *bytes = calloc(1, BULK_BYTES);

	settle(p);
	while (bytes && !load.stop && send(p->near[0], bytes, BULK_BYTES, MSG_NOSIGNAL) > 0)
		;
	free(bytes);
	return NULL;
}

static void *bulk_server(void *arg)
{
	struct pair *p = arg;
	char *bytes = malloc(BULK_BYTES);
	ssize_t n;

	settle(p);
	while (bytes && (n = recv(p->far[0], bytes, BULK_BYTES, 0)) > 0)
		add(p, (uint64_t)n);
	free(bytes);
	return NULL;
}

static void *storm_client(void *arg)
{
	struct pair *p = arg;
	struct sockaddr_in at;
	socklen_t len = sizeof(at);
	uint32_t turn = 0;
	char byte = 'x';
	int fd;

	settle(p);
	if (getsockname(p->listener, (struct sockaddr *)&at, &len))
		die("getsockname");
	while (!load.stop) {
		at.sin_addr.s_addr = htonl(INADDR_LOOPBACK + turn++ % STORM_ADDRESSES);
		fd = connect_to(&at);
		if (fd < 0)
			break;
		if (send(fd, &byte, 1, MSG_NOSIGNAL) == 1 && recv(fd, &byte, 1, 0) == 1)
			add(p, 1);
		close(fd);
	}
	return NULL;
}

static void *storm_server(void *arg)
{
	struct pair *p = arg;
	char byte;
	int fd;

	settle(p);
	while ((fd = accept4(p->listener, NULL, NULL, SOCK_CLOEXEC)) >= 0) {
		if (recv(fd, &byte, 1, 0) == 1)
			send(fd, &byte, 1, MSG_NOSIGNAL);
		recv(fd, &byte, 1, 0); /* the client closes first */
		close(fd);
	}
	return NULL;
}

static const struct kind {
	const char *name, *unit;
	void *(*client)(void *), *(*server)(void *);
} kinds[] = {
	{ "rtt", "round trips", rtt_client, rtt_server },
	{ "bulk", "bytes", bulk_client, bulk_server },
	{ "storm", "connections", storm_client, storm_server },
};

/* --- the run ------------------------------------------------------------------------ */

static void prepare(struct pair *p, int i, const struct kind *kind)
{
	struct sockaddr_in at;

	p->cpu = load.pinned ? i % (int)sysconf(_SC_NPROCESSORS_ONLN) : -1;
	if (kind->client == storm_client)
		p->listener = listen_on((struct in_addr){ INADDR_ANY }, &at);
	else
		connect_pair(p);
}

static void end(struct pair *p, const struct kind *kind)
{
	int i;

	if (kind->client == storm_client) {
		shutdown(p->listener, SHUT_RDWR);
	} else {
		for (i = 0; i < load.flows; i++) {
			shutdown(p->near[i], SHUT_RDWR);
			shutdown(p->far[i], SHUT_RDWR);
		}
	}
	pthread_join(p->client, NULL);
	pthread_join(p->server, NULL);
}

static uint64_t total(const struct pair *v)
{
	uint64_t sum = 0;
	int i;

	for (i = 0; i < load.pairs; i++)
		sum += v[i].count;
	return sum;
}

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static double run(const struct kind *kind)
{
	struct pair *v = calloc((size_t)load.pairs, sizeof(*v));
	struct timespec warm = { 0, WARM_UP_NS }, span;
	pthread_attr_t attr;
	uint64_t first;
	double start, rate;
	int i;

	if (!v)
		die("memory");
	pthread_attr_init(&attr);
	pthread_attr_setstacksize(&attr, (size_t)64 << 10);
	for (i = 0; i < load.pairs; i++)
		prepare(&v[i], i, kind);
	for (i = 0; i < load.pairs; i++)
		if (pthread_create(&v[i].server, &attr, kind->server, &v[i]) ||
		    pthread_create(&v[i].client, &attr, kind->client, &v[i]))
			die("thread");
	nanosleep(&warm, NULL);
	first = total(v);
	start = now();
	span.tv_sec = (time_t)load.seconds;
	span.tv_nsec = (long)((load.seconds - (double)span.tv_sec) * 1e9);
	nanosleep(&span, NULL);
	rate = (double)(total(v) - first) / (now() - start);
	load.stop = true;
	for (i = 0; i < load.pairs; i++)
		end(&v[i], kind);
	free(v);
	return rate;
}

static int usage(void)
{
	fputs("usage: loadgen rtt|bulk|storm [-t SECONDS] [-c PAIRS] [-f FLOWS] [-P]\n"
	      "                              [-a ADDRESS] [-s SERVER-NETNS] [-n CLIENT-NETNS]\n",
	      stderr);
	return 2;
}

int main(int argc, char **argv)
{
	struct rlimit files;
	const struct kind *kind = NULL;
	size_t k;
	int c;

	load.address.s_addr = htonl(INADDR_LOOPBACK);
	for (k = 0; argc > 1 && k < sizeof(kinds) / sizeof(kinds[0]); k++)
		if (!strcmp(argv[1], kinds[k].name))
			kind = &kinds[k];
	if (!kind)
		return usage();
	optind = 2;
	while ((c = getopt(argc, argv, "t:c:f:Pa:s:n:")) != -1) {
		switch (c) {
		case 't':
			load.seconds = strtod(optarg, NULL);
			break;
		case 'c':
			load.pairs = (int)strtol(optarg, NULL, 10);
			break;
		case 'f':
			load.flows = (int)strtol(optarg, NULL, 10);
			break;
		case 'P':
			load.pinned = true;
			break;
		case 'a':
			if (inet_pton(AF_INET, optarg, &load.address) != 1)
				return usage();
			break;
		case 's':
			load.server_ns = optarg;
			break;
		case 'n':
			load.client_ns = optarg;
			break;
		default:
			return usage();
		}
	}
	if (optind != argc || !(load.seconds > 0 && load.seconds <= 600) || load.pairs < 1 ||
	    load.pairs > MAX_PAIRS || load.flows < 1 || load.flows > MAX_FLOWS)
		return usage();
	load.own_ns = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
	if (!getrlimit(RLIMIT_NOFILE, &files)) {
		files.rlim_cur = files.rlim_max;
		setrlimit(RLIMIT_NOFILE, &files);
	}
	printf("%.1f %s per second\n", run(kind), kind->unit);
	return 0;
}

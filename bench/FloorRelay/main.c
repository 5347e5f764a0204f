// floor-relay LISTEN_PORT BACKEND_PORT: a TCP relay on loopback that looks at nothing. It is the floor that every proxy
// is compared with: one thread, one epoll, one backend connection for each client, and per message exactly one read and
// one write of one shared buffer. What a proxy costs above this is what it does, not what moving bytes costs.
//
// A peer that is full stops the reading of its partner: what it did not take is kept until it does. When one side ends,
// both are closed as soon as what was read has been written. Never use it outside a benchmark: it has no timeouts.
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

enum { BUFFER_BYTES = 65536, EVENTS_MAX = 512, ACCEPTS_MAX = 64 };

// One side of a relayed connection. Both sides die together, at the end of the batch of events they die in.
struct side {
  int fd;
  uint32_t armed;         // what epoll watches for
  int dead, finished;     // finished: it has said its last, what it sent may not be out yet
  struct side *peer;
  struct side *next_dead;
  char *kept;             // what this side has not taken yet; its peer is not read meanwhile
  size_t kept_offset, kept_count;
};

static char buffer[BUFFER_BYTES];
static int epoll;
static struct side *dead;
static struct sockaddr_in backend;

static void watch(struct side *side, uint32_t mask) {
  if (side->armed == mask) return;
  struct epoll_event event = {.events = mask, .data.ptr = side};
  epoll_ctl(epoll, EPOLL_CTL_MOD, side->fd, &event);
  side->armed = mask;
}

static void end(struct side *side) {
  if (side->dead) return;
  side->dead = side->peer->dead = 1;
  close(side->fd);
  close(side->peer->fd);
  side->next_dead = dead;
  dead = side;
}

// Closes after the peer has everything: close() sends what the kernel holds, but not what we keep.
static void ended(struct side *side) {
  side->finished = 1;
  if (side->peer->kept_count == 0) end(side);
  else watch(side, side->armed & ~(uint32_t)EPOLLIN);
}

static void readable(struct side *side) {
  ssize_t count = read(side->fd, buffer, sizeof buffer);
  if (count < 0) {
    if (errno != EAGAIN && errno != EINTR) end(side);
    return;
  }
  if (count == 0) return ended(side);
  struct side *peer = side->peer;
  ssize_t taken = write(peer->fd, buffer, (size_t)count);
  if (taken == count) return;
  if (taken < 0) {
    // ENOTCONN, EAGAIN: the backend's connect is still under way.
    if (errno != EAGAIN && errno != ENOTCONN && errno != EINTR) return end(side);
    taken = 0;
  }
  peer->kept_count = (size_t)(count - taken);
  peer->kept_offset = 0;
  peer->kept = malloc(peer->kept_count);
  if (!peer->kept) return end(side);
  memcpy(peer->kept, buffer + taken, peer->kept_count);
  watch(peer, peer->armed | EPOLLOUT);
  watch(side, side->armed & ~(uint32_t)EPOLLIN);
}

static void writable(struct side *side) {
  while (side->kept_count > 0) {
    ssize_t taken = write(side->fd, side->kept + side->kept_offset, side->kept_count);
    if (taken < 0) {
      if (errno == EAGAIN || errno == EINTR || errno == ENOTCONN) return;
      return end(side);
    }
    side->kept_offset += (size_t)taken;
    side->kept_count -= (size_t)taken;
  }
  free(side->kept);
  side->kept = NULL;
  if (side->peer->finished) return end(side);
  watch(side, side->armed & ~(uint32_t)EPOLLOUT);
  watch(side->peer, side->peer->armed | EPOLLIN);
}

static struct side *open_side(int fd, uint32_t mask) {
  struct side *side = calloc(1, sizeof *side);
  int on = 1;
  if (!side) return NULL;
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  side->fd = fd;
  side->armed = mask;
  struct epoll_event event = {.events = mask, .data.ptr = side};
  if (epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event) == 0) return side;
  free(side);
  return NULL;
}

static void join(int client_fd) {
  int backend_fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  struct side *client = NULL, *upstream = NULL;
  if (backend_fd >= 0
      && (connect(backend_fd, (struct sockaddr *)&backend, sizeof backend) == 0 || errno == EINPROGRESS)) {
    client = open_side(client_fd, EPOLLIN);
    upstream = open_side(backend_fd, EPOLLIN);
  }
  if (client && upstream) {
    client->peer = upstream;
    upstream->peer = client;
    return;
  }
  free(client);
  free(upstream);
  close(client_fd);
  if (backend_fd >= 0) close(backend_fd);
}

static int port(const char *text) {
  char *rest;
  long number = strtol(text, &rest, 10);
  return *text && !*rest && number > 0 && number < 65536 ? (int)number : -1;
}

int main(int count, char **arguments) {
  int listen_port = count == 3 ? port(arguments[1]) : -1, backend_port = count == 3 ? port(arguments[2]) : -1;
  if (listen_port < 0 || backend_port < 0) {
    fprintf(stderr, "usage: floor-relay LISTEN_PORT BACKEND_PORT\n");
    return 64;
  }
  struct rlimit limit;
  if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
  }
  signal(SIGPIPE, SIG_IGN);
  backend = (struct sockaddr_in){
    .sin_family = AF_INET, .sin_port = htons((uint16_t)backend_port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  struct sockaddr_in here = backend;
  here.sin_port = htons((uint16_t)listen_port);
  int on = 1, listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  if (bind(listener, (struct sockaddr *)&here, sizeof here) != 0 || listen(listener, 4096) != 0) {
    fprintf(stderr, "floor-relay: 127.0.0.1:%d: %s\n", listen_port, strerror(errno));
    return 69;
  }
  epoll = epoll_create1(EPOLL_CLOEXEC);
  struct epoll_event event = {.events = EPOLLIN, .data.ptr = NULL};
  epoll_ctl(epoll, EPOLL_CTL_ADD, listener, &event);
  printf("listening 127.0.0.1:%d\n", listen_port);
  fflush(stdout);

  static struct epoll_event events[EVENTS_MAX];
  for (;;) {
    int ready = epoll_wait(epoll, events, EVENTS_MAX, -1);
    for (int index = 0; index < ready; index++) {
      struct side *side = events[index].data.ptr;
      if (!side) {
        for (int accepted = 0; accepted < ACCEPTS_MAX; accepted++) {
          int fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
          if (fd < 0) break;
          join(fd);
        }
        continue;
      }
      if (!side->dead && events[index].events & EPOLLOUT) writable(side);
      if (!side->dead && side->armed & EPOLLIN && events[index].events & (EPOLLIN | EPOLLHUP | EPOLLERR)) readable(side);
      // Paused, and the connection is gone in both directions: nothing that is kept can be delivered any more.
      else if (!side->dead && events[index].events & (EPOLLHUP | EPOLLERR)) end(side);
    }
    while (dead) {
      struct side *side = dead;
      dead = side->next_dead;
      free(side->kept);
      free(side->peer->kept);
      free(side->peer);
      free(side);
    }
  }
}

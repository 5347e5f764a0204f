/* Counts what the byte path must not do, for test_allocations.py and Tests/Costs: allocations, copies of 64 bytes and more,
 * and locks of the C library's (libuv's and OpenSSL's; a Swift Mutex is a word in memory that nobody outside can watch).
 * Loaded by LD_PRELOAD; the numbers are in the file that SLUICE_COUNTS names, shared, so that the test reads them while
 * the gateway runs. No call here allocates, and none looks a symbol up: glibc's own entry points are called by name. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

struct counts {
  uint64_t allocations, allocated, copies, copied, locks;
};

static struct counts early;
static struct counts *counts = &early;

extern void *__libc_malloc(size_t);
extern void *__libc_calloc(size_t, size_t);
extern void *__libc_realloc(void *, size_t);
extern void *__libc_memalign(size_t, size_t);
extern int __pthread_mutex_lock(pthread_mutex_t *);
extern int __pthread_mutex_trylock(pthread_mutex_t *);
extern int __pthread_rwlock_rdlock(pthread_rwlock_t *);
extern int __pthread_rwlock_wrlock(pthread_rwlock_t *);

__attribute__((constructor)) static void begin(void) {
  const char *path = getenv("SLUICE_COUNTS");
  if (!path) return;
  int file = open(path, O_RDWR | O_CLOEXEC);
  if (file < 0) return;
  void *shared = mmap(NULL, sizeof(struct counts), PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
  close(file);
  if (shared != MAP_FAILED) counts = shared;
}

static void allocation(size_t size) {
  __atomic_fetch_add(&counts->allocations, 1, __ATOMIC_RELAXED);
  __atomic_fetch_add(&counts->allocated, size, __ATOMIC_RELAXED);
}

void *malloc(size_t size) {
  allocation(size);
  return __libc_malloc(size);
}

void *calloc(size_t count, size_t size) {
  allocation(count * size);
  return __libc_calloc(count, size);
}

void *realloc(void *old, size_t size) {
  allocation(size);
  return __libc_realloc(old, size);
}

void *memalign(size_t alignment, size_t size) {
  allocation(size);
  return __libc_memalign(alignment, size);
}

void *aligned_alloc(size_t alignment, size_t size) { return memalign(alignment, size); }

int posix_memalign(void **result, size_t alignment, size_t size) {
  void *memory = memalign(alignment, size);
  if (!memory) return ENOMEM;
  *result = memory;
  return 0;
}

/* Plain loops, of words where both sides allow it; the compiler must not turn them back into calls of themselves. */
#define COPY __attribute__((optimize("no-tree-loop-distribute-patterns"), noinline))

COPY static void forward(unsigned char *to, const unsigned char *from, size_t size) {
  while (size >= 8) {
    uint64_t word;
    __builtin_memcpy(&word, from, 8);
    __builtin_memcpy(to, &word, 8);
    to += 8, from += 8, size -= 8;
  }
  while (size--) *to++ = *from++;
}

COPY static void backward(unsigned char *to, const unsigned char *from, size_t size) {
  while (size--) to[size] = from[size];
}

static void copy(size_t size) {
  if (size < 64) return;
  __atomic_fetch_add(&counts->copies, 1, __ATOMIC_RELAXED);
  __atomic_fetch_add(&counts->copied, size, __ATOMIC_RELAXED);
}

void *memcpy(void *restrict to, const void *restrict from, size_t size) {
  copy(size);
  forward(to, from, size);
  return to;
}

void *memmove(void *to, const void *from, size_t size) {
  copy(size);
  if ((uintptr_t)to - (uintptr_t)from >= size) forward(to, from, size);
  else backward(to, from, size);
  return to;
}

static void lock(void) { __atomic_fetch_add(&counts->locks, 1, __ATOMIC_RELAXED); }

int pthread_mutex_lock(pthread_mutex_t *mutex) {
  lock();
  return __pthread_mutex_lock(mutex);
}

int pthread_mutex_trylock(pthread_mutex_t *mutex) {
  lock();
  return __pthread_mutex_trylock(mutex);
}

int pthread_rwlock_rdlock(pthread_rwlock_t *readers) {
  lock();
  return __pthread_rwlock_rdlock(readers);
}

int pthread_rwlock_wrlock(pthread_rwlock_t *writer) {
  lock();
  return __pthread_rwlock_wrlock(writer);
}

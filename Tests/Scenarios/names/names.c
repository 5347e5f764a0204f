// Answers look-ups of moving.test with the address that stands in the file SLUICE_NAMES; all others go to the C library.
#define _GNU_SOURCE
#include <dlfcn.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int getaddrinfo(const char *node, const char *service, const struct addrinfo *hints, struct addrinfo **result) {
  static int (*real)(const char *, const char *, const struct addrinfo *, struct addrinfo **);
  if (!real) real = dlsym(RTLD_NEXT, "getaddrinfo");
  char address[64] = "";
  const char *path = getenv("SLUICE_NAMES");
  if (node && path && strcmp(node, "moving.test") == 0) {
    FILE *file = fopen(path, "r");
    if (!file) return EAI_AGAIN;
    int found = fscanf(file, "%63s", address);
    fclose(file);
    if (found != 1) return EAI_AGAIN;
    node = address;
  }
  return real(node, service, hints, result);
}

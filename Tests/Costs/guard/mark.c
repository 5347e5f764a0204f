/* Lets callgrind write down, at SIGUSR1, what was executed since it last did. Loaded by LD_PRELOAD: unlike
 * callgrind_control this needs no ptrace, and the process asks for it itself, between two instructions. */
#include <signal.h>
#include <valgrind/callgrind.h>

static void mark(int number) {
  (void)number;
  CALLGRIND_DUMP_STATS;
}

__attribute__((constructor)) static void begin(void) {
  struct sigaction action = {.sa_handler = mark, .sa_flags = SA_RESTART};
  sigaction(SIGUSR1, &action, 0);
}

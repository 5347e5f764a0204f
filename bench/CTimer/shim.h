// Linux calls that Glibc's module does not have: timers that are descriptors, and the scheduler's kinds of thread.
#pragma once
#include <sys/timerfd.h>

struct sluice_sched_param { int priority; };
int sluice_set_scheduler(int process, int policy, const struct sluice_sched_param *parameters) __asm__("sched_setscheduler");

/// The calling thread does not push others aside when it wakes up, from now on.
static inline int sluice_be_patient(void) {
  struct sluice_sched_param none = {0};
  return sluice_set_scheduler(0, 3 /* SCHED_BATCH */, &none);
}

// spawner COUNT PROGRAM: runs PROGRAM, COUNT times, one after the other, and waits for each: what a spawn-heavy command does.
// Prints how long that took, in microseconds.
#define _GNU_SOURCE
#include <errno.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>

extern char** environ;

static long long now_us(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return now.tv_sec * 1000000LL + now.tv_nsec / 1000;
}

int main(int argc, char** argv) {
  if (argc != 3) return fprintf(stderr, "usage: spawner COUNT PROGRAM\n"), 64;
  char* words[] = {argv[2], NULL};
  const long long began = now_us();
  for (int i = 0; i < atoi(argv[1]); ++i) {
    pid_t pid;
    int status;
    const int error = posix_spawn(&pid, argv[2], NULL, NULL, words, environ);
    if (error != 0) return fprintf(stderr, "spawner: %s: %s\n", argv[2], strerror(error)), 1;
    if (waitpid(pid, &status, 0) != pid || status != 0) return fprintf(stderr, "spawner: %s failed\n", argv[2]), 1;
  }
  printf("%lld\n", now_us() - began);
  return 0;
}

// One process of bare.c's tree: says that it is up, as a node of the rig's does, and stays until it is killed.
#include <unistd.h>

int main(void) {
  if (write(STDOUT_FILENO, "r", 1) != 1) return 1;
  for (;;) pause();
}

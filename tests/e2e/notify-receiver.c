/* Receives what sd_notify(3) sends: NOTIFY-RECEIVER ADDRESS, a path or @NAME. A line for each message, with blanks between its lines. */
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

int main(int argc, char **argv) {
  struct sockaddr_un address = {.sun_family = AF_UNIX};
  size_t length = argc == 2 ? strlen(argv[1]) : 0;
  if (length == 0 || length >= sizeof address.sun_path) return 2;
  memcpy(address.sun_path, argv[1], length);
  if (argv[1][0] == '@') address.sun_path[0] = '\0';
  else length++;
  int in = socket(AF_UNIX, SOCK_DGRAM, 0);
  if (bind(in, (struct sockaddr *)&address, offsetof(struct sockaddr_un, sun_path) + length) < 0) return 1;
  puts("bound");
  fflush(stdout);
  char text[4096];
  /* Without room for it the descriptor that comes with a barrier is closed, which is the answer to it. */
  for (ssize_t got; (got = recv(in, text, sizeof text - 1, 0)) >= 0;) {
    while (got > 0 && text[got - 1] == '\n') got--;
    for (ssize_t i = 0; i < got; i++) putchar(text[i] == '\n' ? ' ' : text[i]);
    putchar('\n');
    fflush(stdout);
  }
  return 1;
}

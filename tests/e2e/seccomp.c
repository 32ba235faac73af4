/*
 * Runs a program under a filter of system calls, as a service manager does:
 *   seccomp kill|ERRNO PROGRAM [ARGUMENT...]
 * What is allowed is in allowed.h, a line each: ALLOW(name). A name that this machine does not have is left out there by
 * the preprocessor: names.h defines SYS_ for those it has.
 */
#include <errno.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#if defined(__x86_64__)
#define ARCHITECTURE AUDIT_ARCH_X86_64
#elif defined(__aarch64__)
#define ARCHITECTURE AUDIT_ARCH_AARCH64
#else
#error "name the architecture of this machine"
#endif

static struct sock_filter filter[4096];
static unsigned short length = 0;

static void add(unsigned short code, unsigned char yes, unsigned char no, unsigned int value) {
  filter[length++] = (struct sock_filter){code, yes, no, value};
}

static void allow(unsigned int number) {
  add(BPF_JMP | BPF_JEQ | BPF_K, 0, 1, number);
  add(BPF_RET | BPF_K, 0, 0, SECCOMP_RET_ALLOW);
}

int main(int count, char **words) {
  if (count < 3) return 2;
  unsigned int refuse = strcmp(words[1], "kill") == 0 ? SECCOMP_RET_KILL_PROCESS : SECCOMP_RET_ERRNO | atoi(words[1]);
  add(BPF_LD | BPF_W | BPF_ABS, 0, 0, offsetof(struct seccomp_data, arch));
  add(BPF_JMP | BPF_JEQ | BPF_K, 1, 0, ARCHITECTURE);
  add(BPF_RET | BPF_K, 0, 0, SECCOMP_RET_KILL_PROCESS);
  add(BPF_LD | BPF_W | BPF_ABS, 0, 0, offsetof(struct seccomp_data, nr));
#include "allowed.h"
  add(BPF_RET | BPF_K, 0, 0, refuse);
  struct sock_fprog program = {length, filter};
  if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 || prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) != 0) {
    perror("seccomp");
    return 125;
  }
  execv(words[2], words + 2);
  perror(words[2]);
  return 127;
}

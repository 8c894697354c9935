/* SPDX-License-Identifier: Apache-2.0 */
/* Which system calls change something that outlives a process, or that others see: files, locks,
 * programs that are started, what is told over sockets. For kill_at, which stops a process there.
 *
 * Errors   a call that cannot be looked at, because its process is gone, does not count.
 * Source   the arguments are those of the manual pages in section 2. */
#ifndef VSOCK_SUPPORT_CHANGING_CALL_H
#define VSOCK_SUPPORT_CHANGING_CALL_H

#include <limits.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct changing_call {
    const char *name;
    bool spawns;  /* a process; its instant "after" is before that process does anything */
    bool tells;   /* others, and changes no file */
    bool is_file; /* there is a descriptor, `fd` */
    bool has_to;  /* a rename: `to` is filled */
    int fd;       /* -1: the result is one */
    uint64_t arguments[6];
    char path[PATH_MAX]; /* "": none */
    char to[PATH_MAX];
};

/* False: it changes nothing. `thread` has to be stopped by ptrace(2) where it enters the call. */
bool changing_call_read(pid_t thread, uint64_t number, const uint64_t arguments[6],
                        struct changing_call *ret);

/* The path behind a descriptor of that thread; "" if there is none. */
void changing_call_path(pid_t thread, int fd, char out[PATH_MAX]);

/* Copies from the thread's memory: how many bytes of `length` could be read. */
size_t changing_call_memory(pid_t thread, uint64_t address, void *out, size_t length);

#endif

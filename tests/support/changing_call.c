/* SPDX-License-Identifier: Apache-2.0 */
#include "support/changing_call.h"

#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

enum shape {
    ON_FD,      /* fd: of a regular file or a directory, and none of the standard ones */
    ON_PATH,    /* path */
    ON_PATHS,   /* path, path */
    IN_FD,      /* directory, path */
    IN_FDS,     /* directory, path, directory, path */
    OPENING,    /* path, flags */
    OPENING_IN, /* directory, path, flags */
    LOCKING,    /* fd, command */
    TELLING,    /* fd: a socket */
    SPAWNING,
    CLONING,  /* flags */
    CLONING3, /* a struct that begins with flags */
};

static const struct {
    uint64_t number;
    const char *name;
    enum shape shape;
} calls[] = {
    {SYS_write, "write", ON_FD},         {SYS_pwrite64, "pwrite", ON_FD},
    {SYS_writev, "writev", ON_FD},       {SYS_ftruncate, "ftruncate", ON_FD},
    {SYS_fallocate, "fallocate", ON_FD}, {SYS_fsync, "fsync", ON_FD},
    {SYS_fdatasync, "fdatasync", ON_FD}, {SYS_sync_file_range, "sync_file_range", ON_FD},
    {SYS_fchmod, "fchmod", ON_FD},       {SYS_fchown, "fchown", ON_FD},
    {SYS_flock, "flock", ON_FD},         {SYS_fcntl, "fcntl", LOCKING},
    {SYS_mkdirat, "mkdirat", IN_FD},     {SYS_unlinkat, "unlinkat", IN_FD},
    {SYS_renameat, "renameat", IN_FDS},  {SYS_renameat2, "renameat2", IN_FDS},
    {SYS_linkat, "linkat", IN_FDS},      {SYS_openat, "openat", OPENING_IN},
    {SYS_execve, "execve", ON_PATH},     {SYS_clone, "clone", CLONING},
    {SYS_clone3, "clone3", CLONING3},    {SYS_sendmsg, "sendmsg", TELLING},
    {SYS_sendto, "sendto", TELLING},
#ifdef SYS_mkdir /* where the old forms are left */
    {SYS_mkdir, "mkdir", ON_PATH},       {SYS_rmdir, "rmdir", ON_PATH},
    {SYS_unlink, "unlink", ON_PATH},     {SYS_rename, "rename", ON_PATHS},
    {SYS_link, "link", ON_PATHS},        {SYS_chmod, "chmod", ON_PATH},
    {SYS_open, "open", OPENING},         {SYS_vfork, "vfork", SPAWNING},
    {SYS_fork, "fork", SPAWNING},
#endif
};

size_t changing_call_memory(pid_t thread, uint64_t address, void *out, size_t length)
{
    /* A number from ptrace; no pointer of ours is made of it. */
    struct iovec there = {.iov_len = length};
    struct iovec here = {.iov_base = out, .iov_len = length};
    memcpy(&there.iov_base, &address, sizeof there.iov_base);
    ssize_t got = process_vm_readv(thread, &here, 1, &there, 1, 0);
    return got > 0 ? (size_t)got : 0;
}

/* Up to the end of each page, since what follows may not be there. */
static void read_text(pid_t thread, uint64_t address, char out[PATH_MAX])
{
    enum { PAGE = 4096 };
    size_t length = 0;
    while (length < PATH_MAX - 1) {
        size_t piece = PAGE - (size_t)((address + length) % PAGE);
        piece = piece < PATH_MAX - 1 - length ? piece : PATH_MAX - 1 - length;
        size_t got = changing_call_memory(thread, address + length, out + length, piece);
        if (got == 0 || memchr(out + length, '\0', got) != NULL) {
            length += got;
            break;
        }
        length += got;
    }
    out[length] = '\0';
}

void changing_call_path(pid_t thread, int fd, char out[PATH_MAX])
{
    char link[64];
    (void)snprintf(link, sizeof link, "/proc/%d/fd/%d", (int)thread, fd);
    ssize_t length = readlink(link, out, PATH_MAX - 1);
    out[length > 0 ? length : 0] = '\0';
}

/* The path that a call names below a directory's descriptor. */
static void read_path(pid_t thread, uint64_t directory, uint64_t address, char out[PATH_MAX])
{
    char name[PATH_MAX];
    read_text(thread, address, name);
    if (name[0] == '/' || (int)directory == AT_FDCWD) {
        (void)snprintf(out, PATH_MAX, "%s", name);
        return;
    }
    changing_call_path(thread, (int)directory, out);
    size_t length = strlen(out);
    (void)snprintf(out + length, PATH_MAX - length, "/%s", name);
}

/* A descriptor of a file, neither of a socket nor one that log lines go to. */
static bool on_file(pid_t thread, struct changing_call *call)
{
    char link[64];
    struct stat status;
    call->is_file = true;
    call->fd = (int)call->arguments[0];
    (void)snprintf(link, sizeof link, "/proc/%d/fd/%d", (int)thread, call->fd);
    if (call->fd <= STDERR_FILENO || stat(link, &status) != 0 ||
        (!S_ISREG(status.st_mode) && !S_ISDIR(status.st_mode))) {
        return false;
    }
    changing_call_path(thread, call->fd, call->path);
    return true;
}

static bool opens_anew(struct changing_call *call, uint64_t flags)
{
    call->is_file = true;
    call->fd = -1;
    return (flags & (O_CREAT | O_TRUNC)) != 0;
}

static bool makes_process(struct changing_call *call, uint64_t flags)
{
    call->spawns = true;
    return (flags & CLONE_THREAD) == 0;
}

static bool read_shape(pid_t thread, enum shape shape, struct changing_call *call)
{
    const uint64_t *arguments = call->arguments;
    uint64_t flags = 0;
    switch (shape) {
    case ON_FD:
        return on_file(thread, call);
    case LOCKING:
        return (arguments[1] == F_OFD_SETLK || arguments[1] == F_SETLEASE) && on_file(thread, call);
    case ON_PATHS:
        call->has_to = true;
        read_text(thread, arguments[1], call->to);
        read_text(thread, arguments[0], call->path);
        return true;
    case ON_PATH:
        read_text(thread, arguments[0], call->path);
        return true;
    case IN_FDS:
        call->has_to = true;
        read_path(thread, arguments[2], arguments[3], call->to);
        read_path(thread, arguments[0], arguments[1], call->path);
        return true;
    case IN_FD:
        read_path(thread, arguments[0], arguments[1], call->path);
        return true;
    case OPENING:
        read_text(thread, arguments[0], call->path);
        return opens_anew(call, arguments[1]);
    case OPENING_IN:
        read_path(thread, arguments[0], arguments[1], call->path);
        return opens_anew(call, arguments[2]);
    case CLONING:
        return makes_process(call, arguments[0]);
    case CLONING3:
        (void)changing_call_memory(thread, arguments[0], &flags, sizeof flags); /* else 0 */
        return makes_process(call, flags);
    case TELLING:
        call->tells = true;
        changing_call_path(thread, (int)arguments[0], call->path);
        return true;
    case SPAWNING:
        return makes_process(call, 0);
    }
    return false;
}

bool changing_call_read(pid_t thread, uint64_t number, const uint64_t arguments[6],
                        struct changing_call *ret)
{
    for (size_t i = 0; i < sizeof calls / sizeof calls[0]; i++) {
        if (calls[i].number == number) {
            *ret = (struct changing_call){.name = calls[i].name};
            memcpy(ret->arguments, arguments, sizeof ret->arguments);
            return read_shape(thread, calls[i].shape, ret);
        }
    }
    return false;
}

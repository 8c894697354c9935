/* SPDX-License-Identifier: Apache-2.0 */
/* Makes one call of a program fail: a library for LD_PRELOAD.
 *
 * FAULT="KIND NTH ERRNO LASTS PAGE"
 *   KIND    disk        write, make room, make, rename, link and cut files and folders
 *           io          read, write, sync, cut and close files
 *           spawn       start a program
 *           thread      start a thread
 *           descriptor  whatever makes a descriptor
 *           memory      malloc and its like, of every library too
 *           name        look a name up: it is at 127.0.0.1, and where the call "fails" at 169.254.9.9
 *           lookup      look a name up: it is at 127.0.0.1; ERRNO is one of getaddrinfo(3)'s
 *           part        read a file whose name ends in .part
 *           clock       nothing fails: CLOCK_REALTIME is shifted as PAGE says
 *   NTH     the call of that kind, from 1, that fails; 0: none does, they are counted
 *   LASTS   1: and so do all after it
 *   PAGE    a file of a struct page. It outlives the program, however that ends.
 *
 * Files are files: a socket, a pipe, a standard stream is let alone by disk and io. Any thread. */
#undef _FORTIFY_SOURCE
#undef _FILE_OFFSET_BITS

#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <netdb.h>
#include <pthread.h>
#include <signal.h>
#include <spawn.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/pidfd.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

enum { KIND_MAX = 15, NAME_SIZE = 32 };

/* What the test reads and writes beside the program. */
struct page {
    _Atomic uint64_t calls;      /* of the kind */
    _Atomic int64_t clock_shift; /* seconds */
    char failed[NAME_SIZE];      /* the first call that failed */
    _Atomic int64_t crashed;     /* the signal of a program that crashed */
};

enum kind {
    DISK = 1 << 0,
    IO = 1 << 1,
    SPAWN = 1 << 2,
    THREAD = 1 << 3,
    DESCRIPTOR = 1 << 4,
    MEMORY = 1 << 5,
    NAME = 1 << 6,
    CLOCK = 1 << 7,
    LOOKUP = 1 << 8,
    PART = 1 << 9,
};

static struct page *page;
static unsigned chosen;
static uint64_t nth;
static int fault_errno;
static bool lasts;

static unsigned find_kind(const char *name)
{
    static const char *const names[] = {"disk",   "io",   "spawn", "thread", "descriptor",
                                        "memory", "name", "clock", "lookup", "part"};
    for (unsigned i = 0; i < sizeof names / sizeof names[0]; i++) {
        if (strcmp(names[i], name) == 0) {
            return 1U << i;
        }
    }
    return 0;
}

static struct page *map(const char *path)
{
    int fd = open(path, O_RDWR | O_CLOEXEC);
    void *mapped = mmap(NULL, sizeof *page, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    (void)close(fd); /* the mapping stays, or was refused */
    return mapped == MAP_FAILED ? NULL : mapped;
}

static void note_crash(int number)
{
    page->crashed = number;
}

/* The call is made again afterwards, and ends the program as it would have. */
static void watch_for_crashes(void)
{
    static const int numbers[] = {SIGSEGV, SIGBUS, SIGILL, SIGFPE};
    const struct sigaction action = {.sa_handler = note_crash, .sa_flags = (int)SA_RESETHAND};
    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++) {
        (void)sigaction(numbers[i], &action, NULL); /* each of them can be caught */
    }
}

__attribute__((constructor)) static void begin(void)
{
    const char *fault = getenv("FAULT");
    char kind[KIND_MAX + 1] = "";
    size_t length = fault == NULL ? 0 : strcspn(fault, " ");
    if (length > 0 && length <= KIND_MAX) {
        memcpy(kind, fault, length);
        char *next = NULL;
        nth = strtoull(fault + length, &next, 10);
        fault_errno = (int)strtol(next, &next, 10);
        lasts = strtol(next, &next, 10) != 0;
        chosen = find_kind(kind);
        page = *next == ' ' ? map(next + 1) : NULL; /* last: nothing is counted before */
    }
    if (page == NULL || chosen == 0) {
        (void)fputs("inject_fault: FAULT is not set as it must be\n", stderr);
        _exit(99);
    }
    watch_for_crashes();
}

/* True: this call is to fail, and errno is set. */
static bool fails(unsigned kinds, const char *name)
{
    if (page == NULL || (kinds & chosen) == 0) {
        return false;
    }
    uint64_t number = atomic_fetch_add(&page->calls, 1) + 1;
    if (nth == 0 || number < nth || (number > nth && !lasts)) {
        return false;
    }
    if (number == nth) {
        (void)strncpy(page->failed, name, sizeof page->failed - 1);
    }
    errno = fault_errno;
    return true;
}

static bool file_fails(unsigned kinds, int fd, const char *name)
{
    struct stat status;
    if ((kinds & chosen) == 0 || fd <= STDERR_FILENO || fstat(fd, &status) != 0) {
        return false;
    }
    return (S_ISREG(status.st_mode) || S_ISDIR(status.st_mode)) && fails(kinds, name);
}

static bool part_fails(int fd, const char *name)
{
    static const char ending[] = ".part";
    char link[64];
    char path[PATH_MAX];
    (void)snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t length = (chosen & PART) == 0 ? -1 : readlink(link, path, sizeof path);
    ssize_t from = length - (ssize_t)strlen(ending);
    return from > 0 && memcmp(path + from, ending, strlen(ending)) == 0 && fails(PART, name);
}

/* The function of that name behind this library. */
static void *behind(const char *name)
{
    void *found = dlsym(RTLD_NEXT, name);
    if (found == NULL) {
        abort();
    }
    return found;
}

/* type name(parameters): on a failure the result is `bad`. Looked up once a call's first time; twice does
 * no harm. */
#define CALL(type, bad, name, failing, parameters, ...) \
    type name parameters;                               \
    type name parameters                                \
    {                                                   \
        static type(*_Atomic real) parameters;          \
        type(*function) parameters = real;              \
        if (failing) {                                  \
            return bad;                                 \
        }                                               \
        if (function == NULL) {                         \
            *(void **)&function = behind(#name);        \
            real = function;                            \
        }                                               \
        return function(__VA_ARGS__);                   \
    }

/* NOLINTBEGIN(readability-inconsistent-declaration-parameter-name): the C library's names are reserved */

/* --- files --- */

CALL(ssize_t, -1, write, file_fails(DISK | IO, fd, "write"),
     (int fd, const void *from, size_t size), fd, from, size)
CALL(ssize_t, -1, pwrite, file_fails(DISK | IO, fd, "pwrite"),
     (int fd, const void *from, size_t size, off_t at), fd, from, size, at)
CALL(ssize_t, -1, pwrite64, file_fails(DISK | IO, fd, "pwrite"),
     (int fd, const void *from, size_t size, off64_t at), fd, from, size, at)
CALL(ssize_t, -1, writev, file_fails(DISK | IO, fd, "writev"),
     (int fd, const struct iovec *from, int count), fd, from, count)
CALL(int, -1, fallocate, file_fails(DISK, fd, "fallocate"),
     (int fd, int mode, off_t at, off_t size), fd, mode, at, size)
CALL(int, -1, fallocate64, file_fails(DISK, fd, "fallocate"),
     (int fd, int mode, off64_t at, off64_t size), fd, mode, at, size)
CALL(int, -1, ftruncate, file_fails(DISK | IO, fd, "ftruncate"), (int fd, off_t size), fd, size)
CALL(int, -1, ftruncate64, file_fails(DISK | IO, fd, "ftruncate"), (int fd, off64_t size), fd, size)
CALL(int, -1, rename, fails(DISK | IO, "rename"), (const char *from, const char *to), from, to)
CALL(int, -1, renameat, fails(DISK | IO, "renameat"),
     (int from_fd, const char *from, int to_fd, const char *to), from_fd, from, to_fd, to)
CALL(int, -1, renameat2, fails(DISK | IO, "renameat2"),
     (int from_fd, const char *from, int to_fd, const char *to, unsigned flags), from_fd, from,
     to_fd, to, flags)
CALL(int, -1, mkdir, fails(DISK | IO, "mkdir"), (const char *path, mode_t mode), path, mode)
CALL(int, -1, mkdirat, fails(DISK | IO, "mkdirat"), (int fd, const char *path, mode_t mode), fd,
     path, mode)
CALL(int, -1, unlinkat, fails(IO, "unlinkat"), (int fd, const char *path, int flags), fd, path,
     flags)
CALL(ssize_t, -1, read, file_fails(IO, fd, "read"), (int fd, void *into, size_t size), fd, into,
     size)
CALL(ssize_t, -1, __read_chk, file_fails(IO, fd, "read"),
     (int fd, void *into, size_t size, size_t room), fd, into, size, room)
CALL(ssize_t, -1, pread64, file_fails(IO, fd, "pread") || part_fails(fd, "pread"),
     (int fd, void *into, size_t size, off64_t at), fd, into, size, at)
CALL(int, -1, fsync, file_fails(DISK | IO, fd, "fsync"), (int fd), fd)
CALL(int, -1, fdatasync, file_fails(DISK | IO, fd, "fdatasync"), (int fd), fd)

/* As the kernel does it: the descriptor is gone in any case. */
int close(int fd)
{
    static int (*real)(int);
    int error = file_fails(IO, fd, "close") ? errno : 0;
    if (real == NULL) {
        *(void **)&real = behind("close");
    }
    int result = real(fd);
    if (error != 0) {
        errno = error;
        return -1;
    }
    return result;
}

/* --- descriptors --- */

static bool open_fails(int flags, const char *name)
{
    return fails((flags & O_CREAT) != 0 ? DISK | IO | DESCRIPTOR : DESCRIPTOR, name);
}

#define OPEN(name, folder_parameter, folder_type, folder_argument)                            \
    int name(folder_parameter const char *path, int flags, ...)                               \
    {                                                                                         \
        static int (*real)(folder_type const char *, int, ...);                               \
        va_list arguments;                                                                    \
        va_start(arguments, flags);                                                           \
        mode_t mode = (flags & (O_CREAT | __O_TMPFILE)) != 0 ? va_arg(arguments, mode_t) : 0; \
        va_end(arguments);                                                                    \
        if (open_fails(flags, #name)) {                                                       \
            return -1;                                                                        \
        }                                                                                     \
        if (real == NULL) {                                                                   \
            *(void **)&real = behind(#name);                                                  \
        }                                                                                     \
        return real(folder_argument path, flags, mode);                                       \
    }
#define NOTHING
#define FOLDER      int fd,
#define FOLDER_TYPE int,
#define FOLDER_FD   fd,

OPEN(open, NOTHING, NOTHING, NOTHING)
OPEN(open64, NOTHING, NOTHING, NOTHING)
OPEN(openat, FOLDER, FOLDER_TYPE, FOLDER_FD)
OPEN(openat64, FOLDER, FOLDER_TYPE, FOLDER_FD)

CALL(FILE *, NULL, fopen, fails(DESCRIPTOR, "fopen"), (const char *path, const char *mode), path,
     mode)
CALL(FILE *, NULL, fopen64, fails(DESCRIPTOR, "fopen"), (const char *path, const char *mode), path,
     mode)
CALL(DIR *, NULL, opendir, fails(DESCRIPTOR, "opendir"), (const char *path), path)
CALL(int, -1, mkostemp64, fails(DISK | IO | DESCRIPTOR, "mkostemp"), (char *name, int flags), name,
     flags)
CALL(int, -1, socket, fails(DESCRIPTOR, "socket"), (int family, int type, int protocol), family,
     type, protocol)
CALL(int, -1, socketpair, fails(DESCRIPTOR, "socketpair"),
     (int family, int type, int protocol, int fds[2]), family, type, protocol, fds)
CALL(int, -1, accept4, fails(DESCRIPTOR, "accept4"),
     (int fd, struct sockaddr *address, socklen_t *length, int flags), fd, address, length, flags)
CALL(int, -1, pipe, fails(DESCRIPTOR, "pipe"), (int fds[2]), fds)
CALL(int, -1, pipe2, fails(DESCRIPTOR, "pipe2"), (int fds[2], int flags), fds, flags)
CALL(int, -1, eventfd, fails(DESCRIPTOR, "eventfd"), (unsigned count, int flags), count, flags)
CALL(int, -1, signalfd, fails(DESCRIPTOR, "signalfd"), (int fd, const sigset_t *mask, int flags),
     fd, mask, flags)
CALL(int, -1, epoll_create1, fails(DESCRIPTOR, "epoll_create1"), (int flags), flags)
CALL(int, -1, pidfd_open, fails(DESCRIPTOR, "pidfd_open"), (pid_t pid, unsigned flags), pid, flags)

/* --- programs and threads: the error is the result --- */

CALL(int, fault_errno, posix_spawn, fails(SPAWN, "posix_spawn"),
     (pid_t * pid, const char *path, const posix_spawn_file_actions_t *actions,
      const posix_spawnattr_t *attributes, char *const argv[], char *const environment[]),
     pid, path, actions, attributes, argv, environment)
CALL(int, fault_errno, pthread_create, fails(THREAD, "pthread_create"),
     (pthread_t * thread, const pthread_attr_t *attributes, void *(*run)(void *), void *context),
     thread, attributes, run, context)

/* --- memory: the C library's own, which have these names too --- */

extern void *__libc_malloc(size_t size);
extern void *__libc_calloc(size_t count, size_t size);
extern void *__libc_realloc(void *old, size_t size);
extern void *__libc_memalign(size_t alignment, size_t size);

void *malloc(size_t size)
{
    return fails(MEMORY, "malloc") ? NULL : __libc_malloc(size);
}

void *calloc(size_t count, size_t size)
{
    return fails(MEMORY, "calloc") ? NULL : __libc_calloc(count, size);
}

void *realloc(void *old, size_t size)
{
    return fails(MEMORY, "realloc") ? NULL : __libc_realloc(old, size);
}

void *reallocarray(void *old, size_t count, size_t size)
{
    size_t whole = 0;
    if (__builtin_mul_overflow(count, size, &whole)) {
        errno = ENOMEM;
        return NULL;
    }
    return realloc(old, whole);
}

int posix_memalign(void **ret, size_t alignment, size_t size)
{
    void *made = fails(MEMORY, "posix_memalign") ? NULL : __libc_memalign(alignment, size);
    if (made == NULL) {
        return ENOMEM;
    }
    *ret = made;
    return 0;
}

/* --- names --- */

int getaddrinfo(const char *name, const char *service, const struct addrinfo *hints,
                struct addrinfo **ret)
{
    static int (*real)(const char *, const char *, const struct addrinfo *, struct addrinfo **);
    if (real == NULL) {
        *(void **)&real = behind("getaddrinfo");
    }
    bool elsewhere = fails(NAME, "getaddrinfo");
    if (fails(LOOKUP, "getaddrinfo")) {
        return fault_errno;
    }
    return real((chosen & (NAME | LOOKUP)) == 0 ? name
                : elsewhere                     ? "169.254.9.9"
                                                : "127.0.0.1",
                service, hints, ret);
}

/* --- the clock --- */

static time_t shift(clockid_t clock)
{
    bool shifted = page != NULL && chosen == CLOCK && clock == CLOCK_REALTIME;
    return shifted ? (time_t)atomic_load(&page->clock_shift) : 0;
}

int clock_gettime(clockid_t clock, struct timespec *ret)
{
    static int (*real)(clockid_t, struct timespec *);
    if (real == NULL) {
        *(void **)&real = behind("clock_gettime");
    }
    int result = real(clock, ret);
    ret->tv_sec += result == 0 ? shift(clock) : 0;
    return result;
}

time_t time(time_t *ret)
{
    struct timespec now = {.tv_sec = 0};
    (void)clock_gettime(CLOCK_REALTIME, &now); /* it is always there */
    if (ret != NULL) {
        *ret = now.tv_sec;
    }
    return now.tv_sec;
}

int gettimeofday(struct timeval *ret, void *zone)
{
    struct timespec now = {.tv_sec = 0};
    (void)zone;
    (void)clock_gettime(CLOCK_REALTIME, &now); /* it is always there */
    ret->tv_sec = now.tv_sec;
    ret->tv_usec = now.tv_nsec / 1000;
    return 0;
}

/* NOLINTEND(readability-inconsistent-declaration-parameter-name) */

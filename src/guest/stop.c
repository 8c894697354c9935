/* SPDX-License-Identifier: Apache-2.0 */
#include "guest/stop.h"

#include "wire/clock.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stddef.h>
#include <stdlib.h>
#include <unistd.h>

static int write_end = -1;
static volatile sig_atomic_t came;

static void note_signal(int signal)
{
    int kept = errno;
    if (came == 0) {
        came = signal;
    }
    /* A full pipe is readable already. */
    ssize_t ignored = write(write_end, "", 1);
    (void)ignored;
    errno = kept;
}

static int watch_one(int signal)
{
    struct sigaction before;
    if (sigaction(signal, NULL, &before) < 0) {
        return -errno;
    }
    if (before.sa_handler == SIG_IGN) {
        return 0;
    }
    struct sigaction action = {.sa_handler = note_signal, .sa_flags = SA_RESTART};
    sigemptyset(&action.sa_mask);
    return sigaction(signal, &action, NULL) < 0 ? -errno : 0;
}

int stop_watch(int *ret_fd)
{
    int ends[2];
    if (pipe2(ends, O_CLOEXEC | O_NONBLOCK) < 0) {
        return -errno;
    }
    write_end = ends[1];
    int error = watch_one(SIGINT);
    if (error == 0) {
        error = watch_one(SIGTERM);
    }
    if (error < 0) {
        close(ends[0]);
        close(ends[1]);
        return error;
    }
    *ret_fd = ends[0];
    return 0;
}

int stop_signal(void)
{
    return came;
}

int stop_wait(int stop_fd, int64_t deadline_ms)
{
    struct pollfd watched = {.fd = stop_fd, .events = POLLIN};
    while (clock_ms() < deadline_ms) {
        if (poll(&watched, 1, clock_poll_timeout(deadline_ms)) > 0) {
            return -ECANCELED;
        }
    }
    return 0;
}

void stop_die(int signal)
{
    struct sigaction action = {.sa_handler = SIG_DFL};
    sigset_t only;
    sigemptyset(&only);
    sigaddset(&only, signal);
    sigaction(signal, &action, NULL);
    raise(signal);
    sigprocmask(SIG_UNBLOCK, &only, NULL);
    abort(); /* not reached: the default action of both signals is death */
}

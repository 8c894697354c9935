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
static volatile sig_atomic_t received;

static void note_signal(int signal)
{
    int saved = errno;
    if (received == 0) {
        received = signal;
    }
    /* A full pipe is readable already. */
    ssize_t ignored = write(write_end, "", 1);
    (void)ignored;
    errno = saved;
}

static int catch_signal(int signal)
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
    int error = catch_signal(SIGINT);
    if (error == 0) {
        error = catch_signal(SIGTERM);
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
    return received;
}

int stop_wait(int fd, short events, int stop_fd, int64_t deadline_ms)
{
    struct pollfd watched[] = {{.fd = stop_fd, .events = POLLIN}, {.fd = fd, .events = events}};
    do { /* at least once: what is ready is not late */
        int ready = poll(watched, 2, clock_poll_timeout(deadline_ms));
        if (ready < 0 && errno != EINTR) {
            return -errno;
        }
        if (ready > 0) {
            return watched[0].revents != 0 ? -ECANCELED : 0;
        }
    } while (clock_ms() < deadline_ms);
    return -ETIME;
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

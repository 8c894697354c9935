/* SPDX-License-Identifier: Apache-2.0 */
#include "host/systemd/notify.h"

#include <inttypes.h>
#include <systemd/sd-daemon.h>
#include <systemd/sd-journal.h>
#include <time.h>
#include <unistd.h>

int notify_ready(const char *status)
{
    int sent = sd_notifyf(0, "READY=1\nSTATUS=%s", status);
    return sent < 0 ? sent : 0;
}

/* The rest is best effort. */

void notify_status(const char *status)
{
    (void)sd_notifyf(0, "STATUS=%s", status);
}

void notify_stopping(const char *status)
{
    (void)sd_notifyf(0, "STOPPING=1\nSTATUS=%s", status);
}

void notify_reloading(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now); /* cannot fail with this clock */
    (void)sd_notifyf(0, "RELOADING=1\nMONOTONIC_USEC=%" PRIi64,
                     (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000);
}

int64_t notify_watchdog_ms(void)
{
    uint64_t usec = 0;
    return sd_watchdog_enabled(0, &usec) > 0 ? (int64_t)(usec / 1000) : 0;
}

void notify_alive(void)
{
    (void)sd_notify(0, "WATCHDOG=1");
}

void notify_extend_timeout(int64_t ms)
{
    (void)sd_notifyf(0, "EXTEND_TIMEOUT_USEC=%" PRId64, ms * 1000);
}

_Static_assert(SERVICE_PASSED_FIRST == SD_LISTEN_FDS_START, "sd_listen_fds(3)");

int notify_passed_sockets(void)
{
    return sd_listen_fds(1); /* 1: takes them out of the environment */
}

bool journal_available(void)
{
    /* sd_journal_sendv(3) reports no error when the socket is missing. */
    return access("/run/systemd/journal/socket", W_OK) == 0;
}

int journal_send(const struct iovec *fields, int count)
{
    return sd_journal_sendv(fields, count);
}

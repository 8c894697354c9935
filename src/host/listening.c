/* SPDX-License-Identifier: Apache-2.0 */
#include "host/listening.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "host/systemd/systemd.h"

static int open_one(const struct conf *conf, size_t index, struct listener *ret,
                    char problem[CONF_PROBLEM_MAX])
{
    struct address address;
    const char *why;
    const char *wanted = conf->listen.address.items[index];
    int error = address_parse(wanted, ADDRESS_LISTEN, &address, &why);
    if (error < 0) {
        (void)snprintf(problem, CONF_PROBLEM_MAX, "%s: %s", wanted, why);
        return error;
    }
    return listener_open(&address, conf->listen.unix_mode, ret, problem);
}

static int adopt_one(size_t index, struct listener *ret, char problem[CONF_PROBLEM_MAX])
{
    int fd = SERVICE_PASSED_FIRST + (int)index;
    return listener_adopt(&fd, ret, problem); /* one that is refused ends with the process */
}

static int open_all(const struct conf *conf, size_t wanted, struct listening *listening,
                    char problem[CONF_PROBLEM_MAX])
{
    listening->listeners = calloc(wanted, sizeof *listening->listeners);
    if (listening->listeners == NULL) {
        (void)snprintf(problem, CONF_PROBLEM_MAX, "out of memory");
        return -ENOMEM;
    }
    int error = 0;
    while (error == 0 && listening->count < wanted) {
        struct listener *next = &listening->listeners[listening->count];
        error = listening->passed ? adopt_one(listening->count, next, problem)
                                  : open_one(conf, listening->count, next, problem);
        listening->count += error == 0;
    }
    return error;
}

int listening_open(const struct conf *conf, struct listening *ret, char problem[CONF_PROBLEM_MAX])
{
    int passed = service_passed_sockets();
    if (passed < 0) {
        (void)snprintf(problem, CONF_PROBLEM_MAX, "the sockets that systemd passed: %s",
                       strerror(-passed));
        return passed;
    }
    struct listening listening = {.passed = passed > 0};
    size_t wanted = listening.passed ? (size_t)passed : conf->listen.address.count;
    int error = open_all(conf, wanted, &listening, problem);
    if (error < 0) {
        listening_close(&listening);
        return error;
    }
    *ret = listening;
    return 0;
}

void listening_close(struct listening *listening)
{
    for (size_t i = 0; i < listening->count; i++) {
        listener_close(&listening->listeners[i]);
    }
    free(listening->listeners);
    *listening = (struct listening){0};
}

void listening_describe(const struct listening *listening, char *out, size_t size)
{
    size_t length = (size_t)snprintf(out, size, "Listening on");
    for (size_t i = 0; i < listening->count && length < size; i++) {
        char text[ADDRESS_TEXT_MAX];
        address_format(&listening->listeners[i].address, text);
        length += (size_t)snprintf(out + length, size - length, "%s %s", i > 0 ? "," : "", text);
    }
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Every failure point of a connection: a host that ends, resets or falls silent after each byte of
 * the request, and that ends after each byte of its answer. It counts what it received: what
 * changes something is there at most once, and a query is asked again until it is answered. */
#include "compat/client.h"
#include "matrix.h"
#include "peer_host.h"
#include "peer_link.h"
#include "support/check.h"
#include "wire/clock.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
    POINTS_MAX = 1000, /* bytes of the longest request or answer here, and more */
    DEADLINE_MS = 60000,
    SILENT_DEADLINE_MS = 400,
    CONNECT_MS = 5000,
    TEXT_MAX = 256,
    TRIES = 5,               /* of one point */
    WORKERS = 8,             /* more would slow each other down until a host seems to be silent */
    STACK_SIZE = 512 * 1024, /* of thousands of threads: most of the time went into their stacks */
};

/* Where the request comes: on which connection to a host of this kind. */
struct way {
    const char *host;
    const char *protocol; /* of --protocol; NULL: auto */
    unsigned connection;
    unsigned carries; /* bit n: command n */
};

static const struct way ways[] = {
    {"tlv 1.0", NULL, 1, 0x1fe},
    {"tlv 1.0", "tlv-1", 1, 0x1fe},
    {"tlv 0.9", NULL, 2, 0x03e},
    {"tlv 0.9", "tlv-0", 1, 0x03e},
    {"json-1, one read", NULL, 3, 0x13e}, /* HELLO, the probe, the request */
    {"json-1, one read", NULL, 2, 0x040}, /* the probe is the request */
    {"json-1, one read", "json-1", 1, 0x17e},
    {"json-1, reads to the end", "json-1", 1, 0x17e},
    {"json-0", NULL, 3, 0x036},
    {"json-0", "json-0", 1, 0x036},
};

/* One command on one way. */
struct sweep {
    const struct way *way;
    enum command command;
    const char *folder;
    unsigned points;
    unsigned wrong;
    char first_wrong[TEXT_MAX];
};

/* What came of one point. */
struct result {
    struct peer_failure failure;
    enum client_result result;
    bool responded;
    unsigned pieces; /* connections on which at least a byte of this request was read */
    bool whole;      /* and all of it on each of them */
};

static int connect_to_peer(void *context, int64_t deadline_ms, int *ret_fd)
{
    (void)deadline_ms; /* connecting to a Unix socket does not wait here */
    struct peer_link link = peer_link_connect(context);
    if (link.fd < 0) {
        return -ECONNREFUSED;
    }
    (void)fcntl(link.fd, F_SETFL, O_NONBLOCK); /* it cannot fail on a socket */
    *ret_fd = link.fd;
    return 0;
}

static void no_trace(void *context, const char *line)
{
    (void)context; /* the shape is the client's */
    (void)line;
}

static void no_note(void *context, const struct client_outcome *outcome)
{
    (void)context; /* the shape is the client's */
    (void)outcome;
}

static int local_cid(void *context, uint32_t *ret)
{
    (void)context; /* the shape is the client's */
    *ret = PEER_HOST_CID;
    return 0;
}

static bool go_on(void *context, const struct upgrade_status *status)
{
    (void)context; /* the shape is the client's */
    (void)status;
    return true;
}

static void ask(const struct sweep *sweep, char *path, int64_t limit_ms,
                struct client_outcome *outcome)
{
    struct client *client = calloc(1, sizeof *client);
    struct client_setup setup = {
        .unix_path = true,
        .stop_fd = -1,
        .deadline_ms = clock_deadline(limit_ms),
        .connect_ms = CONNECT_MS,
        .connect = connect_to_peer,
        .local_cid = local_cid,
        .trace = no_trace,
        .again = no_note,
        .progress = go_on,
        .context = path,
    };
    struct request request = {
        .command = sweep->command,
        .url = text_of("http://u/i"),
        .message = text_of("m"),
        .count = 1,
    };
    if (client == NULL) {
        abort();
    }
    if (sweep->way->protocol != NULL &&
        client_find_protocol(sweep->way->protocol, &setup.dialect) < 0) {
        outcome->result = CLIENT_NO_PROTOCOL; /* it is not built: nothing else will be right */
        free(client);
        return;
    }
    client_init(client, &setup);
    client_ask(client, &request, outcome);
    client_done(client);
    free(client);
}

static struct result run_point(const struct sweep *sweep, struct peer_failure failure)
{
    char path[96];
    struct peer_counts counts;
    struct client_outcome outcome = {0};
    snprintf(path, sizeof path, "%s/%zu-%d", sweep->folder, (size_t)(sweep->way - ways),
             (int)sweep->command);
    struct peer_host_setup setup = {
        .habit = peer_host_find(sweep->way->host),
        .path = path,
        .arguments = {.url = "http://u/i",
                      .hash = "0000000000000000000000000000000000000000000000000000000000000000",
                      .message = "m",
                      .count = 1},
        .failure = failure,
    };
    setup.failure.connection = sweep->way->connection;
    struct peer_host *host = peer_host_start(&setup);
    ask(sweep, path, failure.kind == PEER_FAILURE_SILENT ? SILENT_DEADLINE_MS : DEADLINE_MS,
        &outcome);
    peer_host_stop(host, &counts);
    return (struct result){
        .failure = failure,
        .result = outcome.result,
        .responded = outcome.result == CLIENT_ANSWERED && outcome.answer.type == ANSWER_RESPONSE,
        .pieces = counts.requests[sweep->command] + counts.cut,
        .whole = counts.requests[sweep->command] > 0 && counts.cut == 0,
    };
}

/* A command that changes something: once, and then its outcome is not known; or not at all. */
static bool good_change(const struct result *result)
{
    switch (result->failure.kind) {
    case PEER_FAILURE_NONE:
        return result->responded && result->pieces == 1;
    case PEER_FAILURE_SILENT:
        return result->result == CLIENT_TIME_OVER && result->pieces <= 1;
    case PEER_FAILURE_ANSWER:
    case PEER_FAILURE_END:
    case PEER_FAILURE_RESET:
        break;
    }
    bool read = result->failure.bytes > 0 || result->failure.kind == PEER_FAILURE_ANSWER;
    bool unknown = result->result == CLIENT_BROKEN && result->pieces == (read ? 1 : 0);
    bool whole_answer = result->failure.kind == PEER_FAILURE_ANSWER && result->responded;
    bool not_sent = !read && result->responded; /* the guest knew that no byte was taken */
    return unknown || ((whole_answer || not_sent) && result->pieces == 1);
}

/* A query is answered in the end, from a second connection if need be. */
static bool good_query(const struct result *result)
{
    if (result->failure.kind == PEER_FAILURE_SILENT) {
        return result->result == CLIENT_TIME_OVER;
    }
    bool read = result->failure.bytes > 0 && result->failure.kind != PEER_FAILURE_ANSWER;
    return result->responded && result->pieces >= (read ? 2 : 1);
}

static bool is_good(const struct sweep *sweep, const struct result *result)
{
    return command_is_query(sweep->command) ? good_query(result) : good_change(result);
}

/* On a busy machine a host can seem to be silent: the guest asks in another dialect, and the failure
 * meets that question. What is wrong with the guest is wrong each time. */
static struct result judge_point(struct sweep *sweep, struct peer_failure failure)
{
    struct result result = run_point(sweep, failure);
    for (unsigned i = 1; i < TRIES && !is_good(sweep, &result); i++) {
        result = run_point(sweep, failure);
    }
    sweep->points++;
    if (!is_good(sweep, &result) && sweep->wrong++ == 0) {
        snprintf(sweep->first_wrong, sizeof sweep->first_wrong,
                 "failure %d at byte %zu: result %d, %s, read on %u connections", (int)failure.kind,
                 failure.bytes, (int)result.result, result.responded ? "answered" : "not answered",
                 result.pieces);
    }
    return result;
}

/* True: this point was the last one of its kind. */
static bool is_last(const struct result *result)
{
    if (result->failure.kind == PEER_FAILURE_ANSWER) {
        return result->responded && result->pieces == 1; /* all of the answer got through */
    }
    return result->failure.bytes > 0 && result->whole;
}

static void run_sweep(struct sweep *sweep)
{
    static const enum peer_failure_kind kinds[] = {PEER_FAILURE_END, PEER_FAILURE_RESET,
                                                   PEER_FAILURE_ANSWER};
    (void)judge_point(sweep, (struct peer_failure){.kind = PEER_FAILURE_NONE}); /* it is counted */
    for (size_t i = 0; i < COUNT(kinds) && sweep->wrong == 0; i++) {
        bool last = false;
        for (size_t bytes = 0; !last && bytes < POINTS_MAX && sweep->wrong == 0; bytes++) {
            struct result result =
                judge_point(sweep, (struct peer_failure){.kind = kinds[i], .bytes = bytes});
            last = is_last(&result);
        }
    }
    for (size_t bytes = 0; bytes < 2; bytes++) {
        (void)judge_point(sweep,
                          (struct peer_failure){.kind = PEER_FAILURE_SILENT, .bytes = bytes});
    }
}

/* What the workers share. */
struct work {
    struct sweep *sweeps;
    size_t count;
    atomic_size_t next;
};

static void *run_worker(void *argument)
{
    struct work *work = argument;
    for (size_t i = work->next++; i < work->count; i = work->next++) {
        run_sweep(&work->sweeps[i]);
    }
    return NULL;
}

static size_t list_sweeps(struct sweep sweeps[], const char *folder)
{
    size_t count = 0;
    for (size_t i = 0; i < COUNT(ways); i++) {
        for (int command = 1; command <= COMMAND_LAST; command++) {
            struct sweep *sweep = &sweeps[count];
            if ((ways[i].carries >> command & 1U) == 0) {
                continue;
            }
            *sweep =
                (struct sweep){.way = &ways[i], .command = (enum command)command, .folder = folder};
            count++;
        }
    }
    return count;
}

void matrix_at_most_once(void)
{
    static struct sweep sweeps[COUNT(ways) * (COMMAND_LAST + 1)];
    char folder[] = "/tmp/vm-XXXXXX";
    REQUIRE_NOT_NULL(mkdtemp(folder));
    pthread_attr_t before;
    pthread_attr_t small;
    (void)pthread_getattr_default_np(&before);
    (void)pthread_attr_init(&small);
    (void)pthread_attr_setstacksize(&small, STACK_SIZE);
    CHECK_EQUAL(pthread_setattr_default_np(&small), 0);
    unsigned points = 0;
    struct work work = {.sweeps = sweeps, .count = list_sweeps(sweeps, folder)};
    pthread_t workers[WORKERS];
    for (size_t i = 0; i < WORKERS; i++) {
        REQUIRE_EQUAL(pthread_create(&workers[i], NULL, run_worker, &work), 0);
    }
    for (size_t i = 0; i < WORKERS; i++) {
        pthread_join(workers[i], NULL);
    }
    for (size_t i = 0; i < work.count; i++) {
        CHECK_ROW("%s, %s", sweeps[i].way->host, command_name(sweeps[i].command));
        points += sweeps[i].points;
        if (sweeps[i].wrong > 0) {
            printf("\n    %s, --protocol %s, %s: %s", sweeps[i].way->host,
                   sweeps[i].way->protocol != NULL ? sweeps[i].way->protocol : "auto",
                   command_name(sweeps[i].command), sweeps[i].first_wrong);
        }
        CHECK_EQUAL(sweeps[i].wrong, 0);
    }
    printf("\n    %u failure points\n  ", points);
    (void)pthread_setattr_default_np(&before);
    (void)pthread_attr_destroy(&small);
    (void)pthread_attr_destroy(&before);
    CHECK_EQUAL(rmdir(folder), 0);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* The configuration of vsock_host and of its helper programs: one struct, filled from one table
 * (conf_table.c). A struct conf is constant once loaded, and any thread may then read it.
 *
 * Units    *_ms: milliseconds; sizes: bytes.
 * Errors   0 or -errno, with one line in `problem`: file, line, key, value and what is allowed.
 */
#ifndef HOST_CONF_H
#define HOST_CONF_H

#include "wire/attributes.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/types.h>

#define CONF_DEFAULT_PATH "/etc/vsock_host/vsock_host.conf"

enum { CONF_PROBLEM_MAX = 1024 };

/* A list of strings, NULL after the last: usable as an argv. */
struct conf_strings {
    char **items;
    size_t count;
};

struct conf_numbers {
    uint32_t *items;
    size_t count;
};

enum conf_step_method { CONF_STEP_EXEC, CONF_STEP_UNIT };
enum conf_reboot_method { CONF_REBOOT_LOGIND, CONF_REBOOT_COMMAND };

struct conf {
    struct {
        struct conf_strings address; /* each parses with address_parse(ADDRESS_LISTEN) */
        struct conf_numbers allowed_cids;
        uint32_t commands; /* bit n: command n is served */
        uint32_t unix_cid;
        mode_t unix_mode;
        struct conf_numbers unix_uids; /* empty: root and the daemon's own */
    } listen;
    struct {
        uint32_t workers;
        uint32_t queue;
        uint32_t connections;
        uint32_t connections_per_cid;
        int64_t first_frame_ms;
        int64_t frame_ms;
        int64_t idle_ms;
        int64_t send_ms;
        uint32_t request_bytes;
    } limits;
    struct {
        struct conf_strings devices;
        uint32_t max_repeats;
        int64_t interval_ms;
        uint32_t queue;
        struct conf_strings skip_while_running; /* words; empty: never skip */
    } console;
    struct {
        char *file;
    } version;
    struct {
        enum conf_step_method method;
        char *install_program;
        char *hsm_program;
    } steps;
    struct {
        char *uri;
        char *domain;
        uint32_t vendor;
        uint32_t product;
        int64_t timeout_ms;
    } hsm;
    struct {
        char *directory;
        struct conf_strings schemes;
        struct conf_strings allowed_prefixes; /* empty: any */
        uint32_t refused_addresses;           /* bits of enum address_class */
        char *ca_file;                        /* "": the system's */
        uint64_t max_bytes;
        uint64_t keep_free;
        uint32_t max_redirects;
        uint32_t retries;
        int64_t retry_ms;
        int64_t connect_ms;
        int64_t stall_ms;
        uint64_t stall_bytes_per_second;
        uint32_t queue;
        uint32_t watchers;
    } upgrade;
    struct {
        char *directory;
        struct conf_strings installer; /* argv[0] and fixed arguments */
        int64_t installer_ms;
        char *allowed_hashes; /* "": any */
    } install;
    struct {
        enum conf_reboot_method method;
        int64_t delay_ms; /* logind */
        struct conf_strings command;
    } reboot;
    struct {
        char *unit;
    } guest_upgrade;
    struct {
        char *textfile; /* "": off */
    } metrics;
};

/* Reads `path` and the drop-ins beside it, PATH.d/ *.conf in the order of their names. A missing
 * file at CONF_DEFAULT_PATH is the defaults; any other missing file is an error. `listen` (may be
 * NULL, else NULL-terminated) replaces [listen] address, as --listen does. */
MUST_CHECK int conf_load(const char *path, char *const listen[], struct conf **ret,
                         char problem[CONF_PROBLEM_MAX]);
struct conf *conf_free(struct conf *conf);

/* On a reload: copies to `fresh` the values of keys that take effect only at a restart, and calls
 * `report` for each one that differs. 0 or -ENOMEM. */
MUST_CHECK int conf_carry_over(const struct conf *now, struct conf *fresh,
                               void (*report)(const char *section, const char *name));

/* True if every key has the same value in both. */
bool conf_same(const struct conf *a, const struct conf *b);

/* The effective configuration in the file's own form, every key, in the table's order. */
MUST_CHECK int conf_dump(const struct conf *conf, FILE *out);

#endif

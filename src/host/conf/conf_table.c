/* SPDX-License-Identifier: Apache-2.0 */
#include "host/conf/conf_table.h"

#include "host/policy/address_class.h"
#include "wire/message.h"
#include "wire/suggest.h"

#include <string.h>

#define AT(member)                          offsetof(struct conf, member)
#define RANGE(lowest, highest)              .min = (lowest), .max = (highest)
#define COMMAND_WORD(id, number, name, ...) " " name
#define WORDS(fewest, highest)              .min_count = (fewest), .max_count = (highest)
#define SECOND                              ((uint64_t)1000)
#define KIB                                 ((uint64_t)1 << 10)
#define GIB                                 ((uint64_t)1 << 30)
#define TIB                                 ((uint64_t)1 << 40)
#define CID_MAX                             UINT32_MAX

/* Limits that several keys share, and why they are where they are. */
enum {
    /* 4,096 connections hold about 150 MB of buffers, and fit the hard limit of descriptors that
     * old systems set. */
    CONNECTIONS_MAX = 4096,
    /* The largest legal request of wire 1.0 is a notify: 4,096 bytes of text and its fields. */
    REQUEST_BYTES_MIN = NOTIFY_MAX + 256,
    REQUEST_BYTES_MAX = 65536, /* the largest payload of a frame */
};
/* A deadline below a tenth of a second is missed by a guest that merely waits for a processor. */
#define DEADLINE_MIN (SECOND / 10)
#define DEADLINE_MAX (600 * SECOND)
#define DAY          (86400 * SECOND)
#define FILE_MAX     (16 * TIB) /* the largest file of ext4 with blocks of 4 KiB */

static const char *const step_methods[CONF_WORDS_MAX] = {
    [CONF_STEP_EXEC] = "exec", [CONF_STEP_UNIT] = "unit"};
static const char *const reboot_methods[CONF_WORDS_MAX] = {
    [CONF_REBOOT_LOGIND] = "logind", [CONF_REBOOT_COMMAND] = "command"};
static const char *const url_schemes[CONF_WORDS_MAX] = {"http", "https"};

const struct conf_key conf_keys[] = {
    {"listen", "address", &conf_addresses, AT(listen.address), WORDS(1, 16),
     .default_value = "vsock:any:19090", .restart = true,
     .description = "Where guests connect: vsock:any:PORT, vsock:CID:PORT or unix:/PATH."},
    {"listen", "allowed_cids", &conf_number_list, AT(listen.allowed_cids), RANGE(0, CID_MAX),
     WORDS(1, 64), .default_value = "3",
     .description =
         "Guests that are served, by CID. The first one is 3. Others are answered forbidden."},
    {"listen", "commands", &conf_set, AT(listen.commands), WORDS(1, COMMAND_LAST),
     .word = command_name, .default_value = &(COMMANDS(COMMAND_WORD))[1],
     .description = "The commands that are served. Others are answered forbidden."},
    /* The highest CID means "any" to the kernel: no peer has it. */
    {"listen", "unix_cid", &conf_count, AT(listen.unix_cid), RANGE(0, CID_MAX - 1),
     .default_value = "3", .description = "The CID that the peers of Unix sockets stand for."},
    {"listen", "unix_mode", &conf_mode, AT(listen.unix_mode), RANGE(0, 0777),
     .default_value = "0600", .restart = true, .description = "The mode of Unix sockets."},
    /* The highest uid means "none" to the kernel. */
    {"listen", "unix_uids", &conf_number_list, AT(listen.unix_uids), RANGE(0, UINT32_MAX - 1),
     WORDS(0, 64), .default_value = "",
     .description = "The uids that are served on Unix sockets. Empty: root and the daemon's own."},

    /* One worker is enough for one guest; more than 64 only queue at the same disk. */
    {"limits", "workers", &conf_count, AT(limits.workers), RANGE(1, 64), .default_value = "4",
     .restart = true, .description = "Threads that run commands."},
    {"limits", "queue", &conf_count, AT(limits.queue), RANGE(1, CONNECTIONS_MAX),
     .default_value = "64", .restart = true,
     .description = "Requests that wait for a worker. When it is full the answer is busy."},
    {"limits", "connections", &conf_count, AT(limits.connections), RANGE(1, CONNECTIONS_MAX),
     .default_value = "256", .restart = true, .description = "Connections in all."},
    {"limits", "connections_per_cid", &conf_count, AT(limits.connections_per_cid),
     RANGE(1, CONNECTIONS_MAX), .default_value = "64",
     .description = "Connections of one guest. At most the connections in all."},
    {"limits", "first_frame_seconds", &conf_seconds, AT(limits.first_frame_ms),
     RANGE(DEADLINE_MIN, DEADLINE_MAX), .default_value = "5",
     .description = "From accepting a connection to its first whole frame."},
    {"limits", "frame_seconds", &conf_seconds, AT(limits.frame_ms),
     RANGE(DEADLINE_MIN, DEADLINE_MAX), .default_value = "5",
     .description = "From the first byte of a later frame to its last."},
    {"limits", "idle_seconds", &conf_seconds, AT(limits.idle_ms), RANGE(DEADLINE_MIN, DAY),
     .default_value = "30", .description = "How long a connection may have no request under way."},
    {"limits", "send_seconds", &conf_seconds, AT(limits.send_ms), RANGE(DEADLINE_MIN, DEADLINE_MAX),
     .default_value = "5", .description = "How long a guest may take nothing of an answer."},
    {"limits", "request_bytes", &conf_count, AT(limits.request_bytes),
     RANGE(REQUEST_BYTES_MIN, REQUEST_BYTES_MAX), .default_value = "16384", .restart = true,
     .description = "The largest request. Longer ones are answered too_large."},

    {"console", "devices", &conf_paths, AT(console.devices), WORDS(0, 16),
     .default_value = "/dev/tty1 /dev/ttyS0", .description = "The consoles that notify writes to."},
    {"console", "max_repeats", &conf_count, AT(console.max_repeats), RANGE(1, 1000),
     .default_value = "10",
     .description = "How often one message is shown. More asked for are cut to it."},
    {"console", "interval_seconds", &conf_seconds, AT(console.interval_ms), RANGE(0, 3600 * SECOND),
     .default_value = "2", .description = "The time between two repeats."},
    {"console", "queue", &conf_count, AT(console.queue), RANGE(1, 1024), .default_value = "16",
     .restart = true, .description = "Messages that wait. When it is full the answer is busy."},
    {"console", "skip_while_running", &conf_words, AT(console.skip_while_running), WORDS(0, 16),
     .default_value = "hostos_tool manual-recovery",
     .description =
         "Nothing is written while a process of root has all these words in its command line."},

    {"version", "file", &conf_path, AT(version.file), .default_value = "/opt/ic/share/version.txt",
     .description = "The file that holds the version of the HostOS."},

    {"steps", "method", &conf_choice, AT(steps.method), .choices = step_methods,
     .default_value = "exec",
     .description =
         "How step programs are run: exec, as children; unit, as the systemd units of the "
         "package."},
    {"steps", "install_program", &conf_path, AT(steps.install_program),
     .default_value = VSOCK_LIBEXEC_DIRECTORY "/vsock_host-install",
     .description =
         "The program that installs a verified image. For method = exec; a unit names its own."},
    {"steps", "hsm_program", &conf_path, AT(steps.hsm_program),
     .default_value = VSOCK_LIBEXEC_DIRECTORY "/vsock_host-hsm",
     .description = "The program that attaches and detaches the HSM. Likewise."},

    {"hsm", "uri", &conf_text, AT(hsm.uri), .default_value = "qemu:///system",
     .description = "The libvirt connection."},
    {"hsm", "domain", &conf_text, AT(hsm.domain), .default_value = "guestos",
     .description = "The guest's domain. by-cid: the running domain that has the caller's CID."},
    {"hsm", "vendor", &conf_hex, AT(hsm.vendor), RANGE(1, 0xffff), .default_value = "0x20a0",
     .description = "The USB vendor of the HSM."},
    {"hsm", "product", &conf_hex, AT(hsm.product), RANGE(0, 0xffff), .default_value = "0x4230",
     .description = "The USB product of the HSM."},
    {"hsm", "timeout_seconds", &conf_seconds, AT(hsm.timeout_ms), RANGE(SECOND, DEADLINE_MAX),
     .default_value = "20",
     .description =
         "How long attaching or detaching may take. vsock_guest waits 30 s without --timeout."},

    {"upgrade", "directory", &conf_path, AT(upgrade.directory),
     .default_value = "/var/lib/vsock_host", .restart = true,
     .description = "Partial and verified images, and the state of the last upgrade."},
    {"upgrade", "schemes", &conf_choices, AT(upgrade.schemes), WORDS(1, 2), .choices = url_schemes,
     .default_value = "https http", .description = "What a URL may begin with."},
    {"upgrade", "allowed_prefixes", &conf_prefixes, AT(upgrade.allowed_prefixes), WORDS(0, 64),
     .default_value = "", .description = "A URL must begin with one of these. Empty: any."},
    {"upgrade", "refused_addresses", &conf_set, AT(upgrade.refused_addresses), WORDS(0, 6),
     .word = address_class_name, .default_value = "loopback link-local multicast unspecified own",
     .description = "Servers at such addresses are not connected to."},
    {"upgrade", "ca_file", &conf_optional_path, AT(upgrade.ca_file), .default_value = "",
     .description = "Certificates that https trusts, as PEM. Empty: the system's."},
    {"upgrade", "max_bytes", &conf_size, AT(upgrade.max_bytes), RANGE(KIB, FILE_MAX),
     .default_value = "16G", .description = "The largest image."},
    {"upgrade", "keep_free", &conf_size, AT(upgrade.keep_free), RANGE(0, FILE_MAX),
     .default_value = "1G", .description = "Room on the disk that a download leaves free."},
    {"upgrade", "max_redirects", &conf_count, AT(upgrade.max_redirects), RANGE(0, 20),
     .default_value = "5", .description = "Redirects that are followed."},
    {"upgrade", "retries", &conf_count, AT(upgrade.retries), RANGE(0, 100), .default_value = "5",
     .description =
         "More tries after one that failed. Counted anew after any byte not stored before."},
    /* The pause doubles up to 60 s. */
    {"upgrade", "retry_seconds", &conf_seconds, AT(upgrade.retry_ms),
     RANGE(SECOND / 100, 60 * SECOND), .default_value = "2",
     .description = "The pause before the first retry. It doubles, with jitter, up to 60 s."},
    {"upgrade", "connect_seconds", &conf_seconds, AT(upgrade.connect_ms),
     RANGE(DEADLINE_MIN, DEADLINE_MAX), .default_value = "30",
     .description = "How long connecting to a server may take."},
    {"upgrade", "stall_seconds", &conf_seconds, AT(upgrade.stall_ms), RANGE(SECOND, 3600 * SECOND),
     .default_value = "30",
     .description =
         "A download that is slower than stall_bytes_per_second for so long has failed."},
    /* Zero would let a server hold a download for ever. */
    {"upgrade", "stall_bytes_per_second", &conf_size, AT(upgrade.stall_bytes_per_second),
     RANGE(1, GIB), .default_value = "1024", .description = "See stall_seconds."},
    {"upgrade", "queue", &conf_count, AT(upgrade.queue), RANGE(0, 16), .default_value = "1",
     .restart = true, .description = "Upgrades that wait for the running one."},
    {"upgrade", "watchers", &conf_count, AT(upgrade.watchers), RANGE(1, CONNECTIONS_MAX),
     .default_value = "32", .restart = true,
     .description = "Connections that may wait for the end of an upgrade."},

    {"install", "directory", &conf_path, AT(install.directory),
     .default_value = "/var/lib/vsock_host-install", .restart = true,
     .description = "Where vsock_host-install keeps the image and its record."},
    {"install", "installer", &conf_argv, AT(install.installer), WORDS(1, 16),
     .default_value = "/opt/ic/bin/install-upgrade.sh",
     .description = "The installer and fixed arguments. The image's path is appended."},
    {"install", "installer_seconds", &conf_seconds, AT(install.installer_ms), RANGE(SECOND, DAY),
     .default_value = "1800", .description = "How long the installer may take."},
    {"install", "allowed_hashes", &conf_optional_path, AT(install.allowed_hashes),
     .default_value = "",
     .description = "A file of SHA-256 lines. Only these are installed. Empty: any."},

    {"reboot", "method", &conf_choice, AT(reboot.method), .choices = reboot_methods,
     .default_value = "logind",
     .description = "Who is asked for the reboot: logind schedules it, command is a program."},
    {"reboot", "delay_seconds", &conf_seconds, AT(reboot.delay_ms), RANGE(0, DAY),
     .default_value = "60", .description = "When logind reboots, after the installation."},
    {"reboot", "command", &conf_argv, AT(reboot.command), WORDS(0, 16), .default_value = "",
     .description =
         "What method = command runs, at once, and needs. Exit 0: the reboot is scheduled."},

    {"guest_upgrade", "unit", &conf_unit, AT(guest_upgrade.unit),
     .default_value = "upgrade-guestos.service",
     .description = "The unit that start-upgrade-guest-vm restarts."},

    {"metrics", "textfile", &conf_optional_prom, AT(metrics.textfile), .default_value = "",
     .description = "A file for node_exporter's textfile collector. Empty: off."},
};
const size_t conf_keys_count = sizeof conf_keys / sizeof conf_keys[0];
_Static_assert(sizeof conf_keys / sizeof conf_keys[0] <= CONF_KEYS_MAX, "CONF_KEYS_MAX");

const struct conf_key *conf_key_find(const char *section, const char *name)
{
    for (size_t i = 0; i < conf_keys_count; i++) {
        const struct conf_key *key = &conf_keys[i];
        if ((section == NULL || strcmp(key->section, section) == 0) &&
            (name == NULL || strcmp(key->name, name) == 0)) {
            return key;
        }
    }
    return NULL;
}

const char *conf_suggest(const char *section, const char *name)
{
    const char *names[CONF_KEYS_MAX];
    size_t count = 0;
    for (size_t i = 0; i < conf_keys_count; i++) {
        const struct conf_key *key = &conf_keys[i];
        if (section == NULL || strcmp(key->section, section) == 0) {
            names[count++] = section == NULL ? key->section : key->name;
        }
    }
    return suggest_name(name, names, count);
}

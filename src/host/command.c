/* SPDX-License-Identifier: Apache-2.0 */
#include "host/command.h"

#include "host/keyfile.h"
#include "host/watchdog.h"
#include "wire/text.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>

/* With space for blanks around the version; a longer file is refused. */
enum { FILE_MAX = HOSTOS_VERSION_MAX + 256 };

static bool is_blank(char c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

/* What the file holds, trimmed; read at every request, so that a new version is sent at once. -ENODATA:
 * nothing but blanks; -EFBIG: too long; -EILSEQ: not UTF-8. */
static int read_version_file(const char *path, char ret[HOSTOS_VERSION_MAX + 1])
{
    char bytes[FILE_MAX + 1] = "";
    size_t start = 0;
    size_t end = 0;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    int error = fd < 0 ? -errno : file_read(fd, bytes, sizeof bytes, &end);
    file_close(fd);
    if (error < 0 || end == sizeof bytes) {
        return error < 0 ? error : -EFBIG;
    }
    while (start < end && is_blank(bytes[start])) {
        start++;
    }
    while (end > start && is_blank(bytes[end - 1])) {
        end--;
    }
    size_t length = end - start;
    if (length == 0) {
        return -ENODATA;
    }
    if (length > HOSTOS_VERSION_MAX) {
        return -EFBIG;
    }
    if (!utf8_valid(bytes + start, length)) {
        return -EILSEQ;
    }
    memcpy(ret, bytes + start, length);
    ret[length] = '\0';
    return 0;
}

static const char *explain_version_error(int error)
{
    switch (error) {
    case -ENODATA:
        return "it is empty";
    case -EFBIG:
        return "it holds more than 256 bytes";
    case -EILSEQ:
        return "it is not UTF-8 text";
    default:
        return strerror(-error);
    }
}

/* One command under way. */
struct call {
    struct command_parts *parts;
    const struct conf *conf;
    const struct request *request;
    uint32_t cid;
    struct command_scratch *scratch;
    struct pending *pending;
};

static struct answer done(void)
{
    return (struct answer){.type = ANSWER_RESPONSE, .kind = PAYLOAD_NONE};
}

/* `code` with the line in the scratch. */
static struct answer failed(const struct call *call, enum error_code code)
{
    return answer_error(code, call->scratch->text);
}

static struct answer get_hostos_version(struct call *call)
{
    const char *path = call->conf->version.file;
    watchdog_expect("reading the version file", WATCHDOG_DISK_MS);
    int error = read_version_file(path, call->scratch->text);
    if (error < 0) {
        (void)snprintf(call->scratch->text, sizeof call->scratch->text,
                       "no HostOS version: cannot use %s: %s", path, explain_version_error(error));
        return failed(call, ERROR_UNAVAILABLE);
    }
    return (struct answer){
        .type = ANSWER_RESPONSE,
        .kind = PAYLOAD_HOSTOS_VERSION,
        .hostos_version = text_of(call->scratch->text),
    };
}

static struct answer get_vsock_version(struct call *call)
{
    (void)call; /* every command has the same shape */
    return (struct answer){
        .type = ANSWER_RESPONSE,
        .kind = PAYLOAD_HOSTOS_VSOCK_VERSION,
        .vsock_version = {VSOCK_VERSION_MAJOR, VSOCK_VERSION_MINOR, VSOCK_VERSION_PATCH},
    };
}

static struct answer notify(struct call *call)
{
    enum error_code code =
        console_notify(call->parts->console, call->request->message, call->request->count,
                       call->scratch->text, sizeof call->scratch->text);
    return code == ERROR_NONE ? done() : failed(call, code);
}

static struct answer upgrade(struct call *call)
{
    enum error_code code =
        upgrade_submit(call->parts->upgrade, call->request, &call->pending, call->scratch->text);
    return code == ERROR_NONE ? done() : failed(call, code);
}

static struct answer get_upgrade_status(struct call *call)
{
    upgrade_read_status(call->parts->upgrade, &call->scratch->view);
    return (struct answer){
        .type = ANSWER_RESPONSE,
        .kind = PAYLOAD_UPGRADE_STATUS,
        .status = call->scratch->view.status,
    };
}

static struct answer submit_operation(struct call *call)
{
    enum error_code code = operation_submit(call->parts->operations, call->request->command,
                                            call->cid, &call->pending, call->scratch->text);
    return code == ERROR_NONE ? done() : failed(call, code);
}

static struct answer (*const handlers[COMMAND_LAST + 1])(struct call *call) = {
    [COMMAND_ATTACH_HSM] = submit_operation,
    [COMMAND_DETACH_HSM] = submit_operation,
    [COMMAND_GET_HOSTOS_VERSION] = get_hostos_version,
    [COMMAND_UPGRADE] = upgrade,
    [COMMAND_NOTIFY] = notify,
    [COMMAND_GET_VSOCK_VERSION] = get_vsock_version,
    [COMMAND_GET_UPGRADE_STATUS] = get_upgrade_status,
    [COMMAND_START_UPGRADE_GUEST_VM] = submit_operation,
};

void command_run(struct command_parts *parts, const struct request *request, uint32_t cid,
                 struct command_scratch *scratch, struct answer *answer, struct pending **pending)
{
    struct call call = {.parts = parts,
                        .conf = atomic_load(&parts->conf),
                        .request = request,
                        .cid = cid,
                        .scratch = scratch};
    if ((call.conf->listen.commands >> request->command & 1) == 0) {
        (void)snprintf(scratch->text, sizeof scratch->text,
                       "%s is switched off on this host ([listen] commands)",
                       command_name(request->command));
        *answer = failed(&call, ERROR_FORBIDDEN);
    } else if (atomic_load_explicit(&parts->stopping, memory_order_relaxed)) {
        *answer = answer_error(ERROR_SHUTTING_DOWN, "the host is stopping: try again later");
    } else {
        watchdog_expect(command_name(request->command), WATCHDOG_QUICK);
        *answer = handlers[request->command](&call);
        watchdog_expect("answering", WATCHDOG_QUICK);
    }
    *pending = call.pending;
}

struct answer command_answer_ended(const struct pending_view *view)
{
    return view->code == ERROR_NONE ? done() : answer_error(view->code, view->text);
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "host/install/sequence.h"

#include "host/install/image.h"
#include "host/install/run.h"
#include "host/install_record.h"
#include "host/log.h"
#include "wire/number.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

/* The digest of a line; -ENODATA: a blank line or a comment. */
static int parse_line(const char *line, uint8_t ret[SHA256_SIZE])
{
    size_t length = strcspn(line, " \t\r\n");
    if (line[0] == '#' || line[strspn(line, " \t\r\n")] == '\0') {
        return -ENODATA;
    }
    return sha256_parse((struct text){line, length}, ret);
}

static int search_file(FILE *file, const char *path, const uint8_t sha256[SHA256_SIZE],
                       struct install_failure *failure)
{
    char *line = NULL;
    size_t size = 0;
    bool found = false;
    int error = 0;
    unsigned number = 0;
    while (error == 0 && getline(&line, &size, file) >= 0) {
        uint8_t allowed[SHA256_SIZE];
        number++;
        error = parse_line(line, allowed);
        found = found || (error == 0 && memcmp(allowed, sha256, SHA256_SIZE) == 0);
        error = error == -ENODATA ? 0 : error;
    }
    free(line);
    if (error != 0) {
        return install_fail(failure, ERROR_INTERNAL,
                            "%s ([install] allowed_hashes): line %u: expected a SHA-256", path,
                            number);
    }
    if (ferror(file)) {
        return install_fail(failure, ERROR_INTERNAL, "cannot read %s ([install] allowed_hashes)",
                            path);
    }
    if (!found) {
        return install_fail(failure, ERROR_INSTALL_FAILED,
                            "the image's SHA-256 is not in %s ([install] allowed_hashes)", path);
    }
    return 0;
}

/* [install] allowed_hashes: a file of SHA-256 lines; an empty path allows every hash. Blank lines and lines
 * that begin with # are skipped, and so is what follows the digest and a blank: a list by sha256sum can
 * be used. With any other line nothing is allowed. */
static int check_allowed(const char *path, const uint8_t sha256[SHA256_SIZE],
                         struct install_failure *failure)
{
    if (path[0] == '\0') {
        return 0;
    }
    FILE *file = fopen(path, "re");
    if (file == NULL) {
        return install_fail(failure, ERROR_INTERNAL,
                            "cannot open %s ([install] allowed_hashes): %s", path, strerror(errno));
    }
    int result = search_file(file, path, sha256, failure);
    (void)fclose(file); /* read only */
    return result;
}

_Static_assert(sizeof(((struct install_record *)NULL)->text) == INSTALL_TEXT_MAX, "a failure fits");

static bool write_record(const struct install_sequence *sequence,
                         const struct install_record *record)
{
    int error = install_record_write(sequence->directory_fd, record);
    if (error != 0) {
        log_error("internal: cannot write %s/record: %s", sequence->conf->install.directory,
                  strerror(-error));
    }
    return error == 0;
}

/* The last line on stderr has the reason, as the record does. It is a notice if it is recorded: the daemon
 * reads the record and logs the failed upgrade, once. */
static enum install_status record_failure(const struct install_sequence *sequence,
                                          struct install_record *record,
                                          enum install_record_stage stage,
                                          const struct install_failure *failure)
{
    char hex[SHA256_HEX + 1];
    sha256_format(record->sha256, hex);
    const struct log_field fields[] = {{"VSOCK_UPGRADE_SHA256", hex},
                                       {"VSOCK_UPGRADE_RESULT", error_name(failure->code)}};
    record->stage = stage;
    record->code = failure->code;
    (void)snprintf(record->text, sizeof record->text, "%s", failure->text);
    bool written = write_record(sequence, record);
    log_event(written ? PRIORITY_NOTICE : PRIORITY_ERROR, NULL, fields, 2, "%s: %s",
              error_name(failure->code), failure->text);
    return written ? INSTALL_FAILED : INSTALL_UNRECORDED;
}

static enum install_status request_reboot(const struct install_sequence *sequence,
                                          struct install_record *record)
{
    struct install_failure failure;
    record->stage = RECORD_INSTALLED;
    record->code = ERROR_NONE;
    record->reboot_at = 0;
    record->text[0] = '\0';
    if (!write_record(sequence, record)) {
        return INSTALL_UNRECORDED;
    }
    if (install_reboot(sequence->conf, INSTALL_REBOOT_MS, &record->reboot_at, &failure) != 0) {
        return record_failure(sequence, record, RECORD_INSTALLED, &failure);
    }
    record->stage = RECORD_REBOOTING;
    return write_record(sequence, record) ? INSTALL_DONE : INSTALL_UNRECORDED;
}

static enum install_status install_image(const struct install_sequence *sequence,
                                         struct install_record *record, struct install_image *image)
{
    struct install_outcome outcome;
    struct install_failure failure;
    int result = install_run(sequence->conf, sequence->sha256, image->path, sequence->lock_fd,
                             sequence->stop_fd, &outcome, &failure);
    if (outcome.left) {
        log_warning("stopped by a signal: the installer is left running");
        return INSTALL_LEFT;
    }
    record->ended = (uint64_t)time(NULL);
    record->exit_status = outcome.exit_status;
    if (result != 0) {
        install_image_give_back(image);
        return record_failure(sequence, record, RECORD_FAILED, &failure);
    }
    install_image_remove(image);
    return request_reboot(sequence, record);
}

/* True: the record is of this image, and it was installed since the last boot. */
static bool is_installed(const struct install_sequence *sequence, const char *boot_id,
                         struct install_record *ret)
{
    struct install_record record;
    if (install_record_read(sequence->directory_fd, &record) != 0 ||
        memcmp(record.sha256, sequence->sha256, SHA256_SIZE) != 0 ||
        strcmp(record.boot_id, boot_id) != 0 ||
        (record.stage != RECORD_INSTALLED && record.stage != RECORD_REBOOTING)) {
        return false;
    }
    *ret = record;
    return true;
}

enum install_status install_sequence_run(const struct install_sequence *sequence)
{
    struct install_record record = {
        .stage = RECORD_STARTED, .started = (uint64_t)time(NULL), .exit_status = -1};
    struct install_failure failure;
    struct install_image image;
    int error = boot_id_read(record.boot_id);
    if (error != 0) {
        log_error("internal: cannot read the boot id: %s", strerror(-error));
        return INSTALL_UNRECORDED;
    }
    if (is_installed(sequence, record.boot_id, &record)) {
        log_notice("already installed: only the reboot is requested");
        install_image_discard(sequence->conf, sequence->sha256);
        return request_reboot(sequence, &record);
    }
    memcpy(record.sha256, sequence->sha256, SHA256_SIZE);
    if (!write_record(sequence, &record)) {
        return INSTALL_UNRECORDED;
    }
    if (check_allowed(sequence->conf->install.allowed_hashes, sequence->sha256, &failure) != 0 ||
        install_image_take(sequence->conf, sequence->directory_fd, sequence->sha256,
                           sequence->stop_fd, &image, &failure) != 0) {
        return record_failure(sequence, &record, RECORD_FAILED, &failure);
    }
    return install_image(sequence, &record, &image);
}

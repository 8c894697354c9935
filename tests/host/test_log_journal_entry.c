/* SPDX-License-Identifier: Apache-2.0 */
/* The fields that journald is sent, byte for byte. */
#include "host/log.h"
#include "support/unit.h"

#include <string.h>

static struct journal_entry entry;

static void check_field(int index, const char *expected)
{
    REQUIRE_COMPARE(index, <, entry.count);
    REQUIRE_EQUAL(entry.fields[index].iov_len, strlen(expected));
    CHECK_BYTES(entry.fields[index].iov_base, expected, strlen(expected));
}

UNIT_TEST(test_plain, "a message alone")
{
    journal_entry_build("vsock_host", PRIORITY_WARNING, NULL, "a message", NULL, 0, &entry);
    CHECK_EQUAL(entry.count, 3);
    check_field(0, "PRIORITY=4");
    check_field(1, "SYSLOG_IDENTIFIER=vsock_host");
    check_field(2, "MESSAGE=a message");
}

UNIT_TEST(test_fields, "a kind of event and its fields")
{
    const struct log_field fields[] = {
        {"VSOCK_CID", "3"}, {"VSOCK_ABSENT", NULL}, {"VSOCK_URL", "http://h/\n\xff"}};
    journal_entry_build("p", PRIORITY_ERROR, "51206f771c6448da8f7d5f685d8e5d7e", "m", fields, 3,
                        &entry);
    CHECK_EQUAL(entry.count, 6);
    check_field(0, "PRIORITY=3");
    check_field(3, "MESSAGE_ID=51206f771c6448da8f7d5f685d8e5d7e");
    check_field(4, "VSOCK_CID=3");
    check_field(5, "VSOCK_URL=http://h/\\x0a\\xff");
}

/* 2,048 is not a multiple of 3, so a character is left out whole. */
UNIT_TEST(test_long_value, "a long value")
{
    char value[4096];
    for (size_t i = 0; i + 3 < sizeof value; i += 3) {
        memcpy(value + i, "\xe2\x82\xac", 3);
    }
    value[4095] = '\0';
    const struct log_field field = {"V", value};
    journal_entry_build("p", PRIORITY_INFO, NULL, "m", &field, 1, &entry);
    REQUIRE_EQUAL(entry.count, 4);
    CHECK_EQUAL(entry.fields[3].iov_len, strlen("V=") + LOG_TEXT_MAX - LOG_TEXT_MAX % 3);
    CHECK_BYTES(entry.fields[3].iov_base, "V=\xe2\x82\xac", 5);
}

UNIT_TEST(test_too_many, "more fields than an entry takes")
{
    struct log_field fields[JOURNAL_ENTRY_FIELDS];
    for (size_t i = 0; i < JOURNAL_ENTRY_FIELDS; i++) {
        fields[i] = (struct log_field){"V", "x"};
    }
    journal_entry_build("p", PRIORITY_INFO, NULL, "m", fields, JOURNAL_ENTRY_FIELDS, &entry);
    CHECK_EQUAL(entry.count, JOURNAL_ENTRY_FIELDS);
}

/* Eight values of 2,048 bytes and the message do not fit 16 KiB: all is inside, the last is cut. */
UNIT_TEST(test_too_large, "more bytes than an entry takes")
{
    char value[LOG_TEXT_MAX + 1];
    struct log_field fields[12];
    memset(value, 'x', LOG_TEXT_MAX);
    value[LOG_TEXT_MAX] = '\0';
    for (size_t i = 0; i < 12; i++) {
        fields[i] = (struct log_field){"V", value};
    }
    journal_entry_build("p", PRIORITY_INFO, NULL, "m", fields, 12, &entry);
    REQUIRE_EQUAL(entry.count, 3 + 8);
    size_t total = 0;
    for (int i = 0; i < entry.count; i++) {
        total += entry.fields[i].iov_len + 1;
    }
    CHECK_EQUAL(total, sizeof entry.bytes);
    CHECK_EQUAL(entry.fields[9].iov_len, strlen("V=") + LOG_TEXT_MAX);
    CHECK_COMPARE(entry.fields[10].iov_len, <, strlen("V=") + LOG_TEXT_MAX);
}

UNIT_MAIN("journal entry")

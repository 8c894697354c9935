/* SPDX-License-Identifier: Apache-2.0 */
/* JSON values: the only room that knows the JSON library. Reading is strict: one value and nothing
 * behind it, no repeated keys, UTF-8 without NUL or lone surrogates, numbers that fit.
 *
 * Errors   a maker that fails returns NULL, json_put turns the object into NULL, and json_write
 *          returns -ENOMEM for it.
 * Owner    json_free frees a value and its members. Texts point into their value.
 */
#ifndef COMPAT_JSON_H
#define COMPAT_JSON_H

#include "compat/dialect.h"

struct json;

/* 0, or -EBADMSG with *why: a few words that follow "it has". */
MUST_CHECK int json_parse(const uint8_t *bytes, size_t length, struct json **ret, const char **why);
struct json *json_free(struct json *value);

/* NULL stands for a missing value. */

/* NULL when it is not an object, or has no such member. */
const struct json *json_member(const struct json *object, const char *key);
/* How many members an object has; 0 for what is none. */
size_t json_members(const struct json *object);
bool json_says_null(const struct json *value);
/* -EINVAL: not a string. */
MUST_CHECK int json_get_text(const struct json *value, struct text *ret);
/* -EINVAL: not written as an integer. -ERANGE: outside 0 to max. */
MUST_CHECK int json_get_number(const struct json *value, uint64_t max, uint64_t *ret);

struct json *json_make_object(void);
/* The text is UTF-8 without NUL. */
struct json *json_make_text(struct text text);
/* Numbers above INT64_MAX, which the library cannot hold, become that. */
struct json *json_make_number(uint64_t number);
/* Appends a member; takes the value. */
void json_put(struct json **object, const char *key, struct json *value);

/* Appends the value: compact, members in the order in which they were put. Takes the value. 0,
 * -ENOBUFS or -ENOMEM. */
MUST_CHECK int json_write(struct json *value, struct reply *out);

/* A response as a value: the output of `vsock_guest --output json`, and the answer of json-1. A
 * phase or code without a name is a string of its digits. */
struct json *json_text_value(const struct answer *response);

/* The same as one compact line of ASCII alone, so that nothing a host sends can reach a terminal as
 * anything but printable characters. 0 and a text to be freed by the caller, or -ENOMEM. */
MUST_CHECK int json_text(const struct answer *response, char **ret);

#endif

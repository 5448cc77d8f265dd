/*
 * structure_own.h - the format of a kept structure (private to structure*.c).
 *
 * Numbers and texts of base/pack.h: version, size, bare, has_nul, envelope of
 * the message, number of parts, the parts in order, marks. A part: KIND_ bits
 * and its kind and encoding, depth, where its header begins counted from where
 * the body of the part before it began, lengths of header and body, bare of
 * both, lines, fields, extended, and the envelope of a message in a message.
 */
#ifndef MAIL_STRUCTURE_OWN_H
#define MAIL_STRUCTURE_OWN_H

enum {
    KIND_MASK = 3,          /* enum structure_kind */
    KIND_ENCODING = 4,      /* times enum mime_encoding */
    KIND_ENCODING_MASK = 7, /* of what was divided by that */
    KIND_MESSAGE = 32,      /* is_message */
    KIND_TEXT = 64,
    KIND_GLOBAL = 128,
};

/* Marks: for each so many bytes of the message, how many LF without CR stand
 * before that place: four bytes, the lowest first. */
#define MARK_STEP ((size_t)65536)

#endif

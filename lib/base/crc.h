/*
 * crc.h - CRC-32C (Castagnoli), which finds torn and damaged records.
 *
 * Start with 0; the result of one piece is the start of the next.
 */
#ifndef BASE_CRC_H
#define BASE_CRC_H

#include "base/str.h"

uint32_t crc32c(uint32_t crc, struct str data);

#endif

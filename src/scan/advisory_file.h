// The layout of the advisory database (docs/internals/advisory-database.md): one immutable file of fixed-size
// tables and a pool of strings, mapped into memory and read in place. Little-endian, tables aligned to 8
// bytes. Known to the compiler that writes it and the database that reads it, and to nobody else.
#pragma once

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>
#include <type_traits>

namespace wharfage::scan::file {

static_assert(std::endian::native == std::endian::little, "the file is read in place");

constexpr std::array<char, 8> magic{'W', 'F', 'A', 'D', 'V', 'I', 'S', '\n'};
constexpr std::uint32_t format_version = 1;

using Text = std::uint32_t;  // where a string starts in the pool: u32 length, then its bytes; 0 is ""

struct Section {
  std::uint64_t offset = 0;  // from the start of the file
  std::uint32_t count = 0;   // entries; of the pool: bytes
  std::uint32_t entry_bytes = 0;
};

enum SectionName { releases, packages, rows, advisories, lists, sources, pool, section_count };

struct Header {
  std::array<char, 8> magic{};
  std::uint32_t version = 0;
  std::uint32_t header_bytes = 0;
  std::uint64_t file_bytes = 0;
  std::int64_t imported_at = 0;                // ms
  std::int64_t newest_modified = 0;            // ms; of the newest record that is not from the future
  std::array<unsigned char, 16> generation{};  // first half of the SHA-256 of everything behind the header
  std::array<unsigned char, 32> checksum{};    // SHA-256 of the file with these bytes zero
  std::array<Section, section_count> sections{};
};

struct Release {  // ascending by name
  Text name = 0, family = 0;
  std::uint32_t first_package = 0, package_count = 0;
  std::uint32_t row_count = 0, advisory_count = 0;
};
struct Package {  // ascending by name within its release
  Text name = 0;
  std::uint32_t first_row = 0, row_count = 0;
};
struct Row {  // ascending by advisory within its package
  std::uint32_t advisory = 0;
  Text introduced = 0, limit = 0;
  std::uint8_t limit_kind = 0;
  std::uint8_t vendor_severity = no_severity;
  std::uint8_t end_of_life = 0;
  std::uint8_t unused = 0;
  static constexpr std::uint8_t no_severity = 255;
};
struct Advisory {  // ascending by family, then id
  std::int64_t published = 0, modified = 0;
  Text family = 0, id = 0, summary = 0, details = 0, cvss_vector = 0;
  std::uint32_t first_list = 0;  // into lists: aliases, then CVEs, then references
  std::uint16_t alias_count = 0, cve_count = 0, reference_count = 0;
  std::uint8_t cvss_version = 0;  // 0: none
  std::uint8_t cvss_tenths = 0;
  std::uint8_t secondary = 0;
  std::uint8_t unused[7] = {};
};
struct Source {
  Text name = 0;
  std::uint32_t records = 0;
};

static_assert(sizeof(Header) == 200 && sizeof(Release) == 24 && sizeof(Package) == 12);
static_assert(sizeof(Row) == 16 && sizeof(Advisory) == 56 && sizeof(Source) == 8);
static_assert(std::is_trivially_copyable_v<Header> && std::is_trivially_copyable_v<Advisory>);

}  // namespace wharfage::scan::file

#include "scan/cvss.h"

#include <doctest/doctest.h>

#include <string>

using namespace wharfage::scan;

namespace {

int tenths(const char* vector) {
  auto score = score_cvss(vector);
  return score ? score->tenths : -1;
}

}  // namespace

TEST_CASE("CVSS v2 base scores are those of the guide") {
  CHECK(tenths("AV:N/AC:L/Au:N/C:N/I:N/A:C") == 78);  // the guide's three examples
  CHECK(tenths("AV:N/AC:L/Au:N/C:C/I:C/A:C") == 100);
  CHECK(tenths("AV:L/AC:H/Au:N/C:C/I:C/A:C") == 62);
  CHECK(tenths("(AV:N/AC:M/Au:N/C:N/I:P/A:N)") == 43);
  CHECK(tenths("AV:L/AC:L/Au:S/C:N/I:N/A:N") == 0);
  CHECK(score_cvss("AV:N/AC:L/Au:N/C:C/I:C/A:C")->severity() == Severity::high);
}

TEST_CASE("CVSS v3 base scores are those of the specification's examples") {
  CHECK(tenths("CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:N/A:H") == 75);
  CHECK(tenths("CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:C/C:H/I:H/A:H") == 100);
  CHECK(tenths("CVSS:3.0/AV:N/AC:L/PR:N/UI:R/S:C/C:L/I:L/A:N") == 61);
  CHECK(tenths("CVSS:3.0/AV:N/AC:L/PR:L/UI:N/S:C/C:L/I:L/A:N") == 64);
  CHECK(tenths("CVSS:3.0/AV:N/AC:H/PR:N/UI:R/S:U/C:L/I:N/A:N") == 31);
  CHECK(tenths("CVSS:3.1/AV:N/AC:L/PR:L/UI:N/S:C/C:H/I:H/A:H") == 99);
  CHECK(tenths("CVSS:3.1/AV:L/AC:L/PR:H/UI:N/S:U/C:L/I:L/A:L") == 42);
  CHECK(tenths("CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:C/C:N/I:N/A:N") == 0);
  CHECK(tenths("CVSS:3.1/AV:N/AC:H/PR:N/UI:N/S:U/C:H/I:N/A:H/E:P/RL:O") == 74);  // temporal is read over
}

TEST_CASE("CVSS v4 scores follow the macro vectors") {
  CHECK(tenths("CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:H/VI:H/VA:H/SC:H/SI:H/SA:H") == 100);
  CHECK(tenths("CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:H/VI:H/VA:H/SC:N/SI:N/SA:N") == 93);
  CHECK(tenths("CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:L/VI:H/VA:L/SC:N/SI:H/SA:L") == 92);
  CHECK(tenths("CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:P/VC:L/VI:N/VA:N/SC:L/SI:N/SA:L") == 53);
  CHECK(tenths("CVSS:4.0/AV:N/AC:L/AT:P/PR:N/UI:A/VC:N/VI:N/VA:N/SC:L/SI:N/SA:N") == 21);
  CHECK(tenths("CVSS:4.0/AV:N/AC:L/AT:P/PR:H/UI:A/VC:N/VI:L/VA:L/SC:L/SI:N/SA:N") == 18);
  CHECK(tenths("CVSS:4.0/AV:N/AC:H/AT:N/PR:H/UI:P/VC:L/VI:L/VA:L/SC:H/SI:N/SA:L") == 45);
  CHECK(tenths("CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:N/VI:N/VA:N/SC:N/SI:N/SA:N") == 0);
  CHECK(tenths("CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:N/VI:H/VA:N/SC:N/SI:N/SA:N/E:U") == 66);
}

TEST_CASE("what is not a whole vector scores nothing") {
  for (const char* text :
       {"", "/", "9.8", "CVSS:3.1/", "CVSS:3.1/AV:N", "CVSS:5.0/AV:N", "AV:N/AC:L/Au:N/C:P/I:P",
        "CVSS:3.1/AV:X/AC:L/PR:N/UI:N/S:U/C:N/I:N/A:H", "CVSS:3.1/AV:N/AV:N", "(", "()",
        "CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:L/VI:H/VA:L/SC:N/SI:H/SA:L/E:Z"}) {
    CHECK_MESSAGE(tenths(text) == -1, text);
  }
  std::string long_vector = "CVSS:3.1";
  for (int i = 0; i < 1000; ++i) long_vector += "/M" + std::to_string(i) + ":X";
  CHECK(tenths(long_vector.c_str()) == -1);
}

TEST_CASE("scores have the usual names") {
  CHECK(severity_of_score(0) == Severity::negligible);
  CHECK(severity_of_score(39) == Severity::low);
  CHECK(severity_of_score(69) == Severity::medium);
  CHECK(severity_of_score(89) == Severity::high);
  CHECK(severity_of_score(90) == Severity::critical);
  CHECK(find_severity("High") == Severity::high);
  CHECK_FALSE(find_severity("terrible"));
}

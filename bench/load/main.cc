// load: puts a registry under load and says, as one line of JSON, how it went.
//   load fetch|push|pull --port P [--connections N] [--operations N] [--seconds S] [--header LINE] …
#include <cstdio>
#include <fstream>
#include <functional>
#include <map>
#include <sstream>
#include <thread>

#include "load/job.h"

namespace bench {
namespace {

std::vector<std::int64_t> numbers(const std::string& text) {
  std::vector<std::int64_t> found;
  std::stringstream list(text);
  for (std::string one; std::getline(list, one, ',');) found.push_back(std::stoll(one));
  return found;
}

void read_lines(const std::string& file, std::vector<std::string>& lines) {
  std::ifstream in(file);
  for (std::string line; std::getline(in, line);) lines.push_back(line);
}

using Setter = std::function<void(const std::string&)>;

std::map<std::string, bool*> flags_of(Job& job) {
  return {{"--many", &job.many},
          {"--same", &job.same},
          {"--sparse", &job.sparse},
          {"--streamed", &job.streamed},
          {"--bare", &job.bare}};
}

std::map<std::string, Setter> options_of(Job& job) {
  return {{"--port", [&](auto& value) { job.target.port = std::stoi(value); }},
          {"--header", [&](auto& value) { job.target.headers += value + "\r\n"; }},
          {"--connections", [&](auto& value) { job.connections = std::stoi(value); }},
          {"--operations", [&](auto& value) { job.operations = std::stoll(value); }},
          {"--images", [&](auto& value) { job.images = std::stoll(value); }},
          {"--seconds", [&](auto& value) { job.seconds = std::stod(value); }},
          {"--method", [&](auto& value) { job.method = value; }},
          {"--path", [&](auto& value) { job.paths.push_back(value); }},
          {"--paths", [&](auto& value) { read_lines(value, job.paths); }},
          {"--range", [&](auto& value) { job.range = std::stoll(value); }},
          {"--of", [&](auto& value) { job.of = std::stoll(value); }},
          {"--repository", [&](auto& value) { job.repository = value; }},
          {"--sizes", [&](auto& value) { job.sizes = numbers(value); }},
          {"--seed", [&](auto& value) { job.seed = std::stoull(value); }}};
}

bool parse(Job& job, int argc, char** argv) {
  if (argc < 2) return false;
  job.mode = argv[1];
  auto flags = flags_of(job);
  auto options = options_of(job);
  for (int i = 2; i < argc; ++i) {
    if (auto flag = flags.find(argv[i]); flag != flags.end()) {
      *flag->second = true;
    } else if (auto option = options.find(argv[i]); option != options.end() && i + 1 < argc) {
      option->second(argv[++i]);
    } else {
      std::fprintf(stderr, "load: what is %s?\n", argv[i]);
      return false;
    }
  }
  return job.target.port > 0;
}

Work make_work(Job& job) {
  if (job.mode == "fetch") return make_fetch(job);
  bool bounded = job.operations > 0 || job.images > 0;
  if (bounded && job.mode == "push") return make_push(job);
  if (bounded && job.mode == "pull") return make_pull(job);
  return {};
}

void wait_until_over(Job& job, std::atomic<int>& running) {
  auto end = SteadyClock::now() + std::chrono::duration<double>(job.seconds > 0 ? job.seconds : 3600);
  while (running > 0 && SteadyClock::now() < end) std::this_thread::sleep_for(std::chrono::milliseconds(1));
  job.stop = true;
}

int run(Job& job) {
  Work work = make_work(job);
  if (!work) return 2;
  std::vector<Tally> tallies(static_cast<std::size_t>(job.connections));
  std::atomic<int> running = job.connections;
  std::vector<std::thread> threads;
  auto since = SteadyClock::now();
  for (Tally& tally : tallies) {
    threads.emplace_back([&] {
      work(tally);
      --running;
    });
  }
  wait_until_over(job, running);
  for (auto& thread : threads) thread.join();
  double seconds = std::chrono::duration<double>(SteadyClock::now() - since).count();
  Tally all;
  for (Tally& tally : tallies) all.add(std::move(tally));
  std::puts(all.json(seconds).c_str());
  return 0;
}

}  // namespace
}  // namespace bench

int main(int argc, char** argv) {
  bench::Job job;
  if (!bench::parse(job, argc, argv)) {
    std::fputs("usage: load fetch|push|pull --port P [options]: see bench/README.md\n", stderr);
    return 2;
  }
  return bench::run(job);
}

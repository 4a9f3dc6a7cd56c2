#include "scan/unpack.h"

#include <zlib.h>
#include <zstd.h>
#include <string>
#include <vector>

namespace wharfage::scan {
namespace {

constexpr std::size_t piece_bytes = 256 * 1024;
constexpr int zstd_window_log_max = 27;  // 128 MiB: what `zstd --ultra` writes without --long

Error damaged(std::string_view what) {
  return fail(Reason::scan_impossible, "a layer cannot be unpacked: " + std::string(what));
}

// One compression. `in` shrinks by what was read; returns the bytes written to `out`.
class Codec {
 public:
  virtual ~Codec() = default;
  virtual Result<std::size_t> run(std::string_view& in, char* out, std::size_t room) = 0;
  virtual bool complete() const = 0;  // nothing is missing at the end of the input
};

class PlainCodec final : public Codec {
 public:
  Result<std::size_t> run(std::string_view& in, char* out, std::size_t room) override {
    std::size_t count = in.copy(out, room);
    in.remove_prefix(count);
    return count;
  }
  bool complete() const override { return true; }
};

class GzipCodec final : public Codec {
 public:
  GzipCodec() { x_ready = inflateInit2(&x_stream, 15 + 16) == Z_OK; }
  ~GzipCodec() override { inflateEnd(&x_stream); }
  GzipCodec(const GzipCodec&) = delete;
  GzipCodec& operator=(const GzipCodec&) = delete;

  Result<std::size_t> run(std::string_view& in, char* out, std::size_t room) override {
    if (!x_ready) return fail(Reason::internal);
    if (x_between_members && !in.empty()) {
      // A member may follow a member; anything else behind the end is padding.
      if (in.front() != '\x1f') {
        in = {};
        return std::size_t{0};
      }
      inflateReset(&x_stream);
      x_between_members = false;
    }
    x_stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(in.data()));
    x_stream.avail_in = static_cast<uInt>(in.size());
    x_stream.next_out = reinterpret_cast<Bytef*>(out);
    x_stream.avail_out = static_cast<uInt>(room);
    int code = inflate(&x_stream, Z_NO_FLUSH);
    in.remove_prefix(in.size() - x_stream.avail_in);
    if (code == Z_STREAM_END) {
      x_between_members = true;
    } else if (code != Z_OK && code != Z_BUF_ERROR) {
      return damaged("its gzip stream is damaged");
    }
    return room - x_stream.avail_out;
  }
  bool complete() const override { return x_between_members; }

 private:
  z_stream x_stream{};
  bool x_ready = false;
  bool x_between_members = false;
};

class ZstdCodec final : public Codec {
 public:
  ZstdCodec() : x_stream(ZSTD_createDStream()) {
    if (x_stream) ZSTD_DCtx_setParameter(x_stream, ZSTD_d_windowLogMax, zstd_window_log_max);
  }
  ~ZstdCodec() override { ZSTD_freeDStream(x_stream); }
  ZstdCodec(const ZstdCodec&) = delete;
  ZstdCodec& operator=(const ZstdCodec&) = delete;

  Result<std::size_t> run(std::string_view& in, char* out, std::size_t room) override {
    if (!x_stream) return fail(Reason::internal);
    ZSTD_inBuffer input{in.data(), in.size(), 0};
    ZSTD_outBuffer output{out, room, 0};
    std::size_t code = ZSTD_decompressStream(x_stream, &output, &input);
    if (ZSTD_isError(code)) return damaged("its zstd stream is damaged");
    in.remove_prefix(input.pos);
    x_complete = code == 0;
    return output.pos;
  }
  bool complete() const override { return x_complete; }

 private:
  ZSTD_DStream* x_stream;
  bool x_complete = false;
};

std::unique_ptr<Codec> make_codec(std::string_view head) {
  if (head.starts_with("\x1f\x8b")) return std::make_unique<GzipCodec>();
  bool skippable = head.size() == 4 && (head[0] & '\xf0') == '\x50' && head.substr(1) == "\x2a\x4d\x18";
  if (head == "\x28\xb5\x2f\xfd" || skippable) return std::make_unique<ZstdCodec>();
  return std::make_unique<PlainCodec>();
}

}  // namespace

struct Unpacker::State {
  ByteSource& packed;
  UnpackLimits limits;
  std::unique_ptr<Codec> codec;
  std::string head;        // until the codec is known; then what of it is not yet read
  std::string_view input;  // not yet read
  bool input_ended = false;
  bool output_filled = false;  // the codec may hold more than fitted
  std::vector<char> piece = std::vector<char>(piece_bytes);
  Hasher hasher{DigestAlgorithm::sha256};
  std::int64_t bytes_in = 0;
  std::int64_t bytes_out = 0;

  Status refill() {
    TRY(input, packed.next());
    input_ended = input.empty();
    bytes_in += static_cast<std::int64_t>(input.size());
    return {};
  }

  // Collects the four bytes that tell the compression.
  Status start() {
    while (head.size() < 4 && !input_ended) {
      TRY_STATUS(refill());
      head.append(input);
    }
    codec = make_codec(std::string_view(head).substr(0, 4));
    input = head;
    return {};
  }

  Status account(std::size_t count) {
    std::string_view bytes(piece.data(), count);
    hasher.update(bytes);
    bytes_out += static_cast<std::int64_t>(count);
    if (bytes_out > limits.bytes_max) return damaged("it unpacks to too many bytes");
    if (bytes_out > limits.ratio_from && bytes_out / limits.ratio_max > bytes_in) {
      return damaged("it unpacks to far more than was stored");
    }
    return {};
  }
};

Unpacker::Unpacker(ByteSource& packed, const UnpackLimits& limits)
    : x_state(std::make_unique<State>(State{.packed = packed, .limits = limits})) {}
Unpacker::~Unpacker() = default;

std::int64_t Unpacker::bytes() const {
  return x_state->bytes_out;
}
Digest Unpacker::diff_id() const {
  return x_state->hasher.finish();
}

Result<std::string_view> Unpacker::next() {
  State& state = *x_state;
  if (!state.codec) TRY_STATUS(state.start());
  while (true) {
    if (state.input.empty() && !state.output_filled) {
      if (!state.input_ended) TRY_STATUS(state.refill());
      if (state.input_ended) {
        if (!state.codec->complete()) return damaged("it ends too early");
        return std::string_view{};
      }
    }
    TRY(std::size_t count, state.codec->run(state.input, state.piece.data(), state.piece.size()));
    state.output_filled = count == state.piece.size();
    if (count == 0) continue;
    TRY_STATUS(state.account(count));
    return std::string_view(state.piece.data(), count);
  }
}

}  // namespace wharfage::scan

#include "build/recipe_text.h"

#include "wire/schema.h"

namespace wharfage::build {
namespace {

struct Stored {
  std::string push_type, push_name, image_tag, location, file;
  std::vector<std::string> arguments, platforms;
  static constexpr auto fields() {
    return std::array{
        wire::field<&Stored::push_type>("push_type"), wire::field<&Stored::push_name>("push_name"),
        wire::field<&Stored::image_tag>("image_tag"), wire::field<&Stored::location>("location"),
        wire::field<&Stored::file>("file"),           wire::field<&Stored::arguments>("arguments"),
        wire::field<&Stored::platforms>("platforms")};
  }
};

}  // namespace

std::string recipe_text(const Recipe& recipe) {
  Stored stored;
  stored.push_type = recipe.push_type;
  stored.push_name = recipe.push_name;
  stored.image_tag = recipe.image_tag;
  stored.location = recipe.dockerfile_location;
  stored.file = recipe.dockerfile_name;
  stored.arguments = recipe.arguments;
  stored.platforms = recipe.platforms;
  return wire::encode_json(stored);
}

Recipe recipe_of(std::string_view text) {
  auto stored = wire::decode_json<Stored>(text);
  if (!stored.ok()) return {};
  return {.push_type = stored->push_type,
          .push_name = stored->push_name,
          .image_tag = stored->image_tag,
          .dockerfile_location = stored->location,
          .dockerfile_name = stored->file,
          .arguments = stored->arguments,
          .platforms = stored->platforms};
}

}  // namespace wharfage::build

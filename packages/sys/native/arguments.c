#include "door.h"

/* No JavaScript runs in any function of this file: values are read, never converted. */

bool door_arguments(napi_env env, napi_callback_info info, size_t count, napi_value *values, struct door **door) {
  return napi_get_cb_info(env, info, &count, values, NULL, (void **)door) == napi_ok;
}

/* False after a throw; `*out` is a whole number from `low` to `high`. */
static bool integer(napi_env env, napi_value value, const char *what, double low, double high, double *out) {
  if (napi_get_value_double(env, value, out) != napi_ok) {
    napi_throw_type_error(env, NULL, what);
    return false;
  }
  if (*out >= low && *out <= high && (double)(int64_t)*out == *out) return true;
  napi_throw_range_error(env, NULL, what);
  return false;
}

bool door_i32(napi_env env, napi_value value, const char *what, int32_t *out) {
  double number;
  if (!integer(env, value, what, -2147483648.0, 2147483647.0, &number)) return false;
  *out = (int32_t)number;
  return true;
}

bool door_u32(napi_env env, napi_value value, const char *what, uint32_t *out) {
  double number;
  if (!integer(env, value, what, 0, 4294967295.0, &number)) return false;
  *out = (uint32_t)number;
  return true;
}

bool door_size(napi_env env, napi_value value, const char *what, uint64_t *out) {
  double number;
  if (!integer(env, value, what, 0, 9007199254740991.0, &number)) return false;
  *out = (uint64_t)number;
  return true;
}

bool door_bytes(napi_env env, napi_value value, const char *what, struct span *out) {
  napi_typedarray_type type;
  void *data;
  if (napi_get_typedarray_info(env, value, &type, &out->length, &data, NULL, NULL) != napi_ok ||
      type != napi_uint8_array) {
    napi_throw_type_error(env, NULL, what);
    return false;
  }
  out->data = data;
  if (__builtin_expect(out->length == 0, 0)) {
    napi_value buffer;
    bool detached = false;
    out->data = NULL;
    if (napi_get_typedarray_info(env, value, NULL, NULL, NULL, &buffer, NULL) != napi_ok ||
        (napi_is_detached_arraybuffer(env, buffer, &detached) == napi_ok && detached)) {
      napi_throw_type_error(env, NULL, what);
      return false;
    }
  }
  return true;
}

bool door_doubles(napi_env env, napi_value value, const char *what, struct span *out) {
  napi_typedarray_type type;
  void *data;
  if (napi_get_typedarray_info(env, value, &type, &out->length, &data, NULL, NULL) != napi_ok ||
      type != napi_float64_array) {
    napi_throw_type_error(env, NULL, what);
    return false;
  }
  out->data = data;
  return true;
}

long door_text(napi_env env, napi_value value, const char *what, bool optional, char out[PATH_LIMIT]) {
  napi_valuetype type;
  size_t length = 0;
  if (napi_typeof(env, value, &type) != napi_ok) return -1;
  if (optional && type == napi_undefined) return 0;
  if (type != napi_string || napi_get_value_string_utf8(env, value, out, PATH_LIMIT, &length) != napi_ok) {
    napi_throw_type_error(env, NULL, what);
    return -1;
  }
  for (size_t i = 0; i < length; i++) {
    if (out[i] == 0) {
      napi_throw_type_error(env, NULL, what);
      return -1;
    }
  }
  return (long)length + 1;
}

napi_value door_number(napi_env env, long result) {
  napi_value value = NULL;
  if (result >= -2147483648L && result <= 2147483647L) napi_create_int32(env, (int32_t)result, &value);
  else napi_create_int64(env, result, &value);
  return value;
}

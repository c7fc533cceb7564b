package org.latentspark.pairs;

import java.math.BigDecimal;
import java.math.BigInteger;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.apache.parquet.example.data.Group;
import org.apache.parquet.schema.GroupType;
import org.apache.parquet.schema.LogicalTypeAnnotation.DecimalLogicalTypeAnnotation;
import org.apache.parquet.schema.LogicalTypeAnnotation.StringLogicalTypeAnnotation;
import org.apache.parquet.schema.MessageType;
import org.apache.parquet.schema.PrimitiveType;
import org.apache.parquet.schema.PrimitiveType.PrimitiveTypeName;
import org.apache.parquet.schema.Type;

/**
 * The columns of a Parquet file that hold pairs, found by alias without case, whatever their types.
 */
final class ParquetColumns {
  private final MessageType schema;
  private final Map<MetadataField, Integer> places;

  private ParquetColumns(MessageType schema, Map<MetadataField, Integer> places) {
    this.schema = schema;
    this.places = places;
  }

  /** Finds the columns in the schema of a file. */
  static ParquetColumns of(MessageType file) {
    Map<MetadataField, Type> found = new EnumMap<>(MetadataField.class);
    for (MetadataField field : MetadataField.values()) {
      candidates(field, file).ifPresent(type -> found.put(field, type));
    }
    List<Type> types = new ArrayList<>();
    Map<MetadataField, Integer> places = new EnumMap<>(MetadataField.class);
    found.forEach(
        (field, type) -> {
          if (!types.contains(type)) {
            types.add(type);
          }
          places.put(field, types.indexOf(type));
        });
    return new ParquetColumns(new MessageType(file.getName(), types), places);
  }

  private static Optional<Type> candidates(MetadataField field, MessageType file) {
    return field.aliases().stream()
        .flatMap(
            alias -> file.getFields().stream().filter(t -> alias.equalsIgnoreCase(t.getName())))
        .flatMap(type -> field == MetadataField.IMAGE ? bytes(type).stream() : plain(type).stream())
        .findFirst();
  }

  private static Optional<Type> plain(Type type) {
    return type.isPrimitive() && !type.isRepetition(Type.Repetition.REPEATED)
        ? Optional.of(type)
        : Optional.empty();
  }

  /** A column of image files: bytes, or as Hugging Face has them a struct that holds bytes. */
  private static Optional<Type> bytes(Type type) {
    if (type.isPrimitive()) {
      return isBytes(type) ? plain(type) : Optional.empty();
    }
    GroupType struct = type.asGroupType();
    return struct.containsField("bytes") && isBytes(struct.getType("bytes"))
        ? Optional.of(struct.withNewFields(struct.getType("bytes")))
        : Optional.empty();
  }

  private static boolean isBytes(Type type) {
    return type.isPrimitive()
        && type.asPrimitiveType().getPrimitiveTypeName() == PrimitiveTypeName.BINARY
        && !(type.getLogicalTypeAnnotation() instanceof StringLogicalTypeAnnotation);
  }

  /** Returns the columns to read. */
  MessageType schema() {
    return schema;
  }

  /** Returns the same without the images. */
  ParquetColumns withoutImage() {
    Map<MetadataField, Integer> others = new EnumMap<>(places);
    Integer image = others.remove(MetadataField.IMAGE);
    if (image == null) {
      return this;
    }
    List<Type> types = new ArrayList<>(schema.getFields());
    types.remove(image.intValue());
    others.replaceAll((field, place) -> place > image ? place - 1 : place);
    return new ParquetColumns(new MessageType(schema.getName(), types), others);
  }

  boolean has(MetadataField field) {
    return places.containsKey(field);
  }

  /** Returns what is missing for the rows to be pairs, as a message; empty if nothing is. */
  Optional<String> missing() {
    if (!has(MetadataField.CAPTION)) {
      return Optional.of(missing("caption", MetadataField.CAPTION));
    }
    return has(MetadataField.URL) || has(MetadataField.IMAGE) || has(MetadataField.FILE)
        ? Optional.empty()
        : Optional.of(missing("URL", MetadataField.URL));
  }

  private static String missing(String what, MetadataField field) {
    return "no %s column; it is known as %s (in any case)".formatted(what, field.aliases());
  }

  /** Returns the values of a row. */
  PairFields fields(Group row) {
    return field -> has(field) ? value(row, places.get(field)) : null;
  }

  /** Returns the image file of a row, or null. */
  byte[] image(Group row) {
    int place = places.get(MetadataField.IMAGE);
    if (row.getFieldRepetitionCount(place) == 0) {
      return null;
    }
    if (schema.getType(place).isPrimitive()) {
      return row.getBinary(place, 0).getBytes();
    }
    Group struct = row.getGroup(place, 0);
    return struct.getFieldRepetitionCount(0) == 0 ? null : struct.getBinary(0, 0).getBytes();
  }

  /** Text, a number, or null for what is neither. */
  private Object value(Group row, int place) {
    if (row.getFieldRepetitionCount(place) == 0) {
      return null;
    }
    PrimitiveType type = schema.getType(place).asPrimitiveType();
    boolean decimal = type.getLogicalTypeAnnotation() instanceof DecimalLogicalTypeAnnotation;
    return switch (type.getPrimitiveTypeName()) {
      case INT32 -> decimal ? decimal(type, row.getInteger(place, 0)) : row.getInteger(place, 0);
      case INT64 -> decimal ? decimal(type, row.getLong(place, 0)) : row.getLong(place, 0);
      case FLOAT -> row.getFloat(place, 0);
      case DOUBLE -> row.getDouble(place, 0);
      case BOOLEAN -> String.valueOf(row.getBoolean(place, 0));
      case BINARY ->
          decimal
              ? decimal(type, row.getBinary(place, 0).getBytes())
              : row.getBinary(place, 0).toStringUsingUTF8();
      case FIXED_LEN_BYTE_ARRAY ->
          decimal ? decimal(type, row.getBinary(place, 0).getBytes()) : null;
      case INT96 -> null;
    };
  }

  private static BigDecimal decimal(PrimitiveType type, long unscaled) {
    return BigDecimal.valueOf(unscaled, scale(type));
  }

  private static BigDecimal decimal(PrimitiveType type, byte[] unscaled) {
    return new BigDecimal(new BigInteger(unscaled), scale(type));
  }

  private static int scale(PrimitiveType type) {
    return ((DecimalLogicalTypeAnnotation) type.getLogicalTypeAnnotation()).getScale();
  }
}

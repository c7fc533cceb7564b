package org.latentspark.latents;

import org.apache.parquet.example.data.Group;
import org.apache.parquet.example.data.simple.SimpleGroup;
import org.apache.parquet.io.api.Binary;
import org.apache.parquet.schema.MessageType;
import org.apache.parquet.schema.MessageTypeParser;

/** The Parquet columns of a dataset and how rows become records and back. */
final class PairSchema {
  static final MessageType ENCODED =
      MessageTypeParser.parseMessageType(
          """
          message encoded_pair {
            required binary key (STRING);
            required binary caption (STRING);
            required binary url (STRING);
            required binary content_sha256 (STRING);
            optional int64 perceptual_hash;
            required int32 width;
            required int32 height;
            required int32 crop_left;
            required int32 crop_top;
            required int32 crop_width;
            required int32 crop_height;
            required int32 bucket_width;
            required int32 bucket_height;
            optional double similarity;
            optional double punsafe;
            optional double pwatermark;
            optional double aesthetic;
            required binary split (STRING);
            required binary latent;
            optional binary flipped_latent;
            required binary text_embedding;
            required group token_ids (LIST) {
              repeated group list {
                required int32 element;
              }
            }
          }
          """);

  static final MessageType REJECTED =
      MessageTypeParser.parseMessageType(
          """
          message rejected_pair {
            required binary key (STRING);
            optional binary url (STRING);
            optional binary caption (STRING);
            required binary reason (STRING);
            optional binary detail (STRING);
          }
          """);

  private PairSchema() {}

  static Group toGroup(EncodedPair pair) {
    Group group = new SimpleGroup(ENCODED);
    group.add("key", pair.key());
    group.add("caption", pair.caption());
    group.add("url", pair.url());
    group.add("content_sha256", pair.contentSha256());
    if (pair.perceptualHash() != null) {
      group.add("perceptual_hash", pair.perceptualHash().longValue());
    }
    group.add("width", pair.width());
    group.add("height", pair.height());
    group.add("crop_left", pair.crop().left());
    group.add("crop_top", pair.crop().top());
    group.add("crop_width", pair.crop().width());
    group.add("crop_height", pair.crop().height());
    group.add("bucket_width", pair.bucketWidth());
    group.add("bucket_height", pair.bucketHeight());
    addIfPresent(group, "similarity", pair.scores().similarity());
    addIfPresent(group, "punsafe", pair.scores().punsafe());
    addIfPresent(group, "pwatermark", pair.scores().pwatermark());
    addIfPresent(group, "aesthetic", pair.scores().aesthetic());
    group.add("split", pair.split().code());
    group.add("latent", Binary.fromConstantByteArray(pair.latent()));
    if (pair.flippedLatent() != null) {
      group.add("flipped_latent", Binary.fromConstantByteArray(pair.flippedLatent()));
    }
    group.add("text_embedding", Binary.fromConstantByteArray(pair.textEmbedding()));
    Group tokens = group.addGroup("token_ids");
    for (int token : pair.tokenIds()) {
      tokens.addGroup("list").add("element", token);
    }
    return group;
  }

  static EncodedPair toPair(Group group) {
    Group tokens = group.getGroup("token_ids", 0);
    int[] tokenIds = new int[tokens.getFieldRepetitionCount("list")];
    for (int i = 0; i < tokenIds.length; i++) {
      tokenIds[i] = tokens.getGroup("list", i).getInteger("element", 0);
    }
    return new EncodedPair(
        text(group, "key"),
        text(group, "caption"),
        text(group, "url"),
        text(group, "content_sha256"),
        wholeNumber(group, "perceptual_hash"),
        group.getInteger("width", 0),
        group.getInteger("height", 0),
        new Crop(
            group.getInteger("crop_left", 0),
            group.getInteger("crop_top", 0),
            group.getInteger("crop_width", 0),
            group.getInteger("crop_height", 0)),
        group.getInteger("bucket_width", 0),
        group.getInteger("bucket_height", 0),
        new Scores(
            number(group, "similarity"),
            number(group, "punsafe"),
            number(group, "pwatermark"),
            number(group, "aesthetic")),
        Split.ofCode(text(group, "split")),
        group.getBinary("latent", 0).getBytes(),
        holds(group, "flipped_latent") ? group.getBinary("flipped_latent", 0).getBytes() : null,
        group.getBinary("text_embedding", 0).getBytes(),
        tokenIds);
  }

  static Group toGroup(RejectedPair pair) {
    Group group = new SimpleGroup(REJECTED);
    group.add("key", pair.key());
    addIfPresent(group, "url", pair.url());
    addIfPresent(group, "caption", pair.caption());
    group.add("reason", pair.reason());
    addIfPresent(group, "detail", pair.detail());
    return group;
  }

  static RejectedPair toRejected(Group group) {
    return new RejectedPair(
        text(group, "key"),
        text(group, "url"),
        text(group, "caption"),
        text(group, "reason"),
        text(group, "detail"));
  }

  private static void addIfPresent(Group group, String column, Double value) {
    if (value != null) {
      group.add(column, value.doubleValue());
    }
  }

  private static void addIfPresent(Group group, String column, String value) {
    if (value != null) {
      group.add(column, value);
    }
  }

  private static String text(Group group, String column) {
    return group.getFieldRepetitionCount(column) == 0 ? null : group.getString(column, 0);
  }

  private static Long wholeNumber(Group group, String column) {
    return holds(group, column) ? group.getLong(column, 0) : null;
  }

  /** A file written before there was the column has none. */
  private static boolean holds(Group group, String column) {
    return group.getType().containsField(column) && group.getFieldRepetitionCount(column) > 0;
  }

  private static Double number(Group group, String column) {
    return group.getFieldRepetitionCount(column) == 0 ? null : group.getDouble(column, 0);
  }
}

import java.io.BufferedReader;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.apache.lucene.analysis.en.EnglishAnalyzer;
import org.apache.lucene.document.Document;
import org.apache.lucene.document.Field;
import org.apache.lucene.document.StoredField;
import org.apache.lucene.document.TextField;
import org.apache.lucene.index.DirectoryReader;
import org.apache.lucene.index.IndexWriter;
import org.apache.lucene.index.IndexWriterConfig;
import org.apache.lucene.queryparser.classic.ParseException;
import org.apache.lucene.queryparser.classic.QueryParser;
import org.apache.lucene.search.IndexSearcher;
import org.apache.lucene.search.ScoreDoc;
import org.apache.lucene.store.FSDirectory;

/** Puts each line of a text into an index as a document of its own, then asks for words of it until it is ended. */
public final class FullTextIndex {
  private static final int LINES_PER_TELLING = 500;
  private static final int QUESTIONS_PER_TELLING = 100;
  private static final int SAMPLE_SIZE = 2000;

  public static void main(String[] arguments) throws IOException, ParseException {
    Path text = Path.of(arguments[0]);
    Path progress = Path.of(arguments[2]);
    try (FSDirectory index = FSDirectory.open(Path.of(arguments[1]))) {
      List<String> sample = build(index, text, progress);
      ask(index, sample, progress);
    }
  }

  /** Returns some of the lines, which questions are made of. */
  private static List<String> build(FSDirectory index, Path text, Path progress) throws IOException {
    long sizeBytes = Files.size(text);
    long doneBytes = 0;
    int lineCount = 0;
    List<String> sample = new ArrayList<>();
    IndexWriterConfig config = new IndexWriterConfig(new EnglishAnalyzer());
    config.setRAMBufferSizeMB(64);
    try (IndexWriter writer = new IndexWriter(index, config);
        BufferedReader lines = Files.newBufferedReader(text, StandardCharsets.US_ASCII)) {
      for (String line = lines.readLine(); line != null; line = lines.readLine()) {
        Document document = new Document();
        document.add(new TextField("text", line, Field.Store.YES));
        document.add(new StoredField("number", lineCount));
        writer.addDocument(document);
        doneBytes += line.length() + 1;
        lineCount++;
        if (sample.size() < SAMPLE_SIZE) sample.add(line);
        if (lineCount % LINES_PER_TELLING == 0) tell(progress, doneBytes * 99 / sizeBytes);
      }
    }
    tell(progress, 100);
    return sample;
  }

  private static void ask(FSDirectory index, List<String> sample, Path progress)
      throws IOException, ParseException {
    Random random = new Random(1);
    QueryParser parser = new QueryParser("text", new EnglishAnalyzer());
    try (DirectoryReader reader = DirectoryReader.open(index)) {
      IndexSearcher searcher = new IndexSearcher(reader);
      for (long questionCount = 1; ; questionCount++) {
        String[] words = sample.get(random.nextInt(sample.size())).split(" ");
        String question = words[random.nextInt(words.length)] + " " + words[random.nextInt(words.length)];
        for (ScoreDoc hit : searcher.search(parser.parse(question), 10).scoreDocs) {
          searcher.storedFields().document(hit.doc);
        }
        if (questionCount % QUESTIONS_PER_TELLING == 0) {
          tell(progress, 100 + questionCount / QUESTIONS_PER_TELLING);
        }
      }
    }
  }

  private static void tell(Path progress, long number) throws IOException {
    Path unfinished = progress.resolveSibling("progress.new");
    Files.writeString(unfinished, number + "\n");
    Files.move(unfinished, progress, StandardCopyOption.ATOMIC_MOVE);
  }
}

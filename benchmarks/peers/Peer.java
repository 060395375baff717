// HAPI HL7v2 as a worker (see benchmarks/peers/worker.py) and as a server that acknowledges and keeps nothing.
//   java Peer parse generic|default FILE        java Peer serve generic|default PORT

import ca.uhn.hl7v2.DefaultHapiContext;
import ca.uhn.hl7v2.app.HL7Service;
import ca.uhn.hl7v2.model.Message;
import ca.uhn.hl7v2.model.Segment;
import ca.uhn.hl7v2.model.Structure;
import ca.uhn.hl7v2.model.v251.group.ORU_R01_OBSERVATION;
import ca.uhn.hl7v2.model.v251.group.ORU_R01_ORDER_OBSERVATION;
import ca.uhn.hl7v2.model.v251.message.ORU_R01;
import ca.uhn.hl7v2.parser.GenericModelClassFactory;
import ca.uhn.hl7v2.parser.Parser;
import ca.uhn.hl7v2.protocol.ReceivingApplication;
import ca.uhn.hl7v2.util.Terser;
import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;

public class Peer {
    static final int[][] OBX = {{3, 1}, {3, 2}, {5, 1}, {6, 1}, {11, 1}, {14, 1}};

    public static void main(String[] words) throws Exception {
        DefaultHapiContext context = new DefaultHapiContext();
        if (words[1].equals("generic")) context.setModelClassFactory(new GenericModelClassFactory());
        if (words[0].equals("serve")) serve(context, Integer.parseInt(words[2]));
        else parse(context.getPipeParser(), words[2]);
    }

    static void parse(Parser parser, String file) throws Exception {
        // One message a line, segments ended by U+001E: no JSON library is needed.
        List<String> texts = new ArrayList<>();
        for (String line : Files.readString(Path.of(file)).split("\n")) texts.add(line.replace('\u001e', '\r'));
        StringBuilder all = new StringBuilder("[");
        for (String text : texts) all.append(all.length() > 1 ? ", " : "").append(json(read(parser.parse(text))));
        System.out.println(all.append("]"));
        BufferedReader asked = new BufferedReader(new InputStreamReader(System.in));
        for (String line = asked.readLine(); line != null; line = asked.readLine()) {
            double seconds = Double.parseDouble(line), spent = 0;
            long began = System.nanoTime();
            int done = 0;
            while ((spent = (System.nanoTime() - began) / 1e9) < seconds) read(parser.parse(texts.get(done++ % texts.size())));
            System.out.println(done / spent);
        }
        System.exit(0);
    }

    static List<String> read(Message message) throws Exception {
        List<String> found = new ArrayList<>();
        found.add(part((Segment) message.get("MSH"), 10, 1));
        if (message instanceof ORU_R01) {
            ORU_R01 oru = (ORU_R01) message;
            found.add(part(oru.getPATIENT_RESULT().getPATIENT().getPID(), 3, 1));
            for (ORU_R01_ORDER_OBSERVATION order : oru.getPATIENT_RESULT().getORDER_OBSERVATIONAll())
                for (ORU_R01_OBSERVATION one : order.getOBSERVATIONAll()) add(found, one.getOBX());
            return found;
        }
        found.add(part((Segment) message.get("PID"), 3, 1));
        if (Arrays.asList(message.getNames()).contains("OBX"))
            for (Structure one : message.getAll("OBX")) add(found, (Segment) one);
        return found;
    }

    static void add(List<String> found, Segment obx) throws Exception {
        for (int[] place : OBX) found.add(part(obx, place[0], place[1]));
    }

    static String part(Segment segment, int field, int component) throws Exception {
        String value = Terser.get(segment, field, 0, component, 1);
        return value == null ? "" : value;
    }

    static String json(List<String> words) {
        StringBuilder text = new StringBuilder("[");
        for (String word : words)
            text.append(text.length() > 1 ? ", " : "").append('"').append(word.replace("\\", "\\\\").replace("\"", "\\\"")).append('"');
        return text.append("]").toString();
    }

    static void serve(DefaultHapiContext context, int port) throws Exception {
        HL7Service server = context.newServer(port, false);
        server.registerApplication(new ReceivingApplication<Message>() {
            @Override
            public Message processMessage(Message message, Map<String, Object> about) throws ca.uhn.hl7v2.protocol.ReceivingApplicationException {
                try {
                    return message.generateACK();
                } catch (Exception error) {
                    throw new ca.uhn.hl7v2.protocol.ReceivingApplicationException(error);
                }
            }

            @Override
            public boolean canProcess(Message message) {
                return true;
            }
        });
        server.startAndWait();
        System.out.println("ready");
    }
}

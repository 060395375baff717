import ca.uhn.hl7v2.DefaultHapiContext;
import ca.uhn.hl7v2.HL7Exception;
import ca.uhn.hl7v2.HapiContext;
import ca.uhn.hl7v2.app.HL7Service;
import ca.uhn.hl7v2.model.Message;
import ca.uhn.hl7v2.protocol.ReceivingApplication;
import ca.uhn.hl7v2.protocol.ReceivingApplicationException;
import java.io.IOException;
import java.util.Map;

/** HAPI's SimpleServer as its documentation shows it: one application takes every message and answers generateACK(). */
public final class Receiver implements ReceivingApplication<Message> {
    public static void main(String[] words) throws Exception {
        int port = Integer.parseInt(words[0]);
        HapiContext context = new DefaultHapiContext();
        HL7Service server = context.newServer(port, false);
        server.registerApplication("*", "*", new Receiver());
        server.startAndWait();
        System.out.println(port);
        System.out.flush();
        while (System.in.read() >= 0) {
            // until whoever started us closes our standard input
        }
        Runtime.getRuntime().halt(0);
    }

    @Override
    public Message processMessage(Message message, Map<String, Object> about)
            throws ReceivingApplicationException, HL7Exception {
        try {
            return message.generateACK();
        } catch (IOException error) {
            throw new HL7Exception(error);
        }
    }

    @Override
    public boolean canProcess(Message message) {
        return true;
    }
}

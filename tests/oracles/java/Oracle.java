// One process that answers questions, a line each: what HAPI HL7v2 reads in a message, what the UCUM reference says of a unit.
//
//   G <base64>            the message by the generic model: segments, fields, repetitions, components, subcomponents, decoded
//   V <base64>            OK, or why this is no UCUM unit
//   C <value> <from> <to> the converted value; units in base64
//
// An answer is one line: JSON, or "! " and the name of what went wrong.

import ca.uhn.hl7v2.DefaultHapiContext;
import ca.uhn.hl7v2.model.*;
import ca.uhn.hl7v2.parser.*;
import ca.uhn.hl7v2.validation.impl.ValidationContextFactory;
import java.io.*;
import java.nio.charset.StandardCharsets;
import java.util.*;
import org.fhir.ucum.*;

public class Oracle {
    static final PipeParser GENERIC = parser(new GenericModelClassFactory());
    static UcumEssenceService ucum;

    public static void main(String[] words) throws Exception {
        ucum = new UcumEssenceService(new FileInputStream(words[0]));
        BufferedReader in = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.US_ASCII), 1 << 16);
        PrintStream out = new PrintStream(new FileOutputStream(FileDescriptor.out), false, StandardCharsets.UTF_8);
        for (String line; (line = in.readLine()) != null; out.flush()) {
            try {
                out.println(answer(line.split(" ")));
            } catch (Exception | StackOverflowError error) {
                out.println("! " + error.getClass().getSimpleName() + " " + oneLine(String.valueOf(error.getMessage())));
            }
        }
    }

    static PipeParser parser(ModelClassFactory classes) {
        DefaultHapiContext context = new DefaultHapiContext(classes);
        context.setValidationContext(ValidationContextFactory.noValidation());
        return context.getPipeParser();
    }

    static String answer(String[] words) throws Exception {
        switch (words[0]) {
            case "G": return read(GENERIC.parse(text(words[1])));
            case "V": String why = ucum.validate(words.length > 1 ? text(words[1]) : ""); return why == null ? "OK" : oneLine(why);
            case "C": return ucum.convert(new Decimal(words[1]), text(words[2]), text(words[3])).asDecimal();
            default: throw new IllegalArgumentException(words[0]);
        }
    }

    static String text(String base64) {
        return new String(Base64.getDecoder().decode(base64), StandardCharsets.UTF_8);
    }

    static String oneLine(String text) {
        return text.replaceAll("[\r\n]", " ");
    }

    // --- HL7 -------------------------------------------------------------------------------------------------------

    static String read(Message message) throws Exception {
        StringBuilder out = new StringBuilder("[");
        walk(message, out);
        return out.append("]").toString();
    }

    static void walk(Group group, StringBuilder out) throws Exception {
        for (String name : group.getNames())
            for (Structure one : group.getAll(name))
                if (one instanceof Group) walk((Group) one, out);
                else segment((Segment) one, out);
    }

    static void segment(Segment segment, StringBuilder out) throws Exception {
        out.append(out.length() > 1 ? "," : "").append("[").append(json(segment.getName())).append(",[");
        for (int field = 1; field <= segment.numFields(); field++) {
            out.append(field > 1 ? ",[" : "[");
            Type[] repetitions = segment.getField(field);
            for (int n = 0; n < repetitions.length; n++) {
                out.append(n > 0 ? "," : "");
                components(repetitions[n], out);
            }
            out.append("]");
        }
        out.append("]]");
    }

    // ca.uhn's Terser counts components and subcomponents as they were written, whatever the model is.
    static void components(Type type, StringBuilder out) throws Exception {
        int count = ca.uhn.hl7v2.util.Terser.numComponents(type);
        out.append("[");
        for (int component = 1; component <= count; component++) {
            out.append(component > 1 ? ",[" : "[");
            int parts = ca.uhn.hl7v2.util.Terser.numSubComponents(type, component);
            for (int part = 1; part <= parts; part++) {
                String value = ca.uhn.hl7v2.util.Terser.getPrimitive(type, component, part).getValue();
                out.append(part > 1 ? "," : "").append(json(value == null ? "" : value));
            }
            out.append("]");
        }
        out.append("]");
    }

    static String json(String text) {
        StringBuilder out = new StringBuilder("\"");
        for (char letter : text.toCharArray())
            if (letter < ' ' || letter == '"' || letter == '\\' || Character.isSurrogate(letter) || letter == 0x85 || letter == 0x2028)
                out.append(String.format("\\u%04x", (int) letter));
            else out.append(letter);
        return out.append("\"").toString();
    }
}

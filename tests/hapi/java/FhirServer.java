import ca.uhn.fhir.batch2.jobs.config.Batch2JobsConfig;
import ca.uhn.fhir.context.FhirContext;
import ca.uhn.fhir.context.support.IValidationSupport;
import ca.uhn.fhir.jpa.api.config.JpaStorageSettings;
import ca.uhn.fhir.jpa.api.config.ThreadPoolFactoryConfig;
import ca.uhn.fhir.jpa.api.dao.IFhirSystemDao;
import ca.uhn.fhir.jpa.batch2.JpaBatch2Config;
import ca.uhn.fhir.jpa.config.HapiJpaConfig;
import ca.uhn.fhir.jpa.config.r4.JpaR4Config;
import ca.uhn.fhir.jpa.config.util.HapiEntityManagerFactoryUtil;
import ca.uhn.fhir.jpa.model.config.PartitionSettings;
import ca.uhn.fhir.jpa.model.dialect.HapiFhirH2Dialect;
import ca.uhn.fhir.jpa.partition.PartitionManagementProvider;
import ca.uhn.fhir.jpa.provider.JpaCapabilityStatementProvider;
import ca.uhn.fhir.jpa.provider.JpaSystemProvider;
import ca.uhn.fhir.jpa.search.DatabaseBackedPagingProvider;
import ca.uhn.fhir.jpa.subscription.channel.config.SubscriptionChannelConfig;
import ca.uhn.fhir.rest.api.EncodingEnum;
import ca.uhn.fhir.rest.server.RestfulServer;
import ca.uhn.fhir.rest.server.interceptor.partition.RequestTenantPartitionInterceptor;
import ca.uhn.fhir.rest.server.provider.ResourceProviderFactory;
import ca.uhn.fhir.rest.server.tenant.UrlBaseTenantIdentificationStrategy;
import ca.uhn.fhir.rest.server.util.ISearchParamRegistry;
import jakarta.persistence.EntityManagerFactory;
import java.util.Properties;
import java.util.Set;
import javax.sql.DataSource;
import org.eclipse.jetty.ee10.servlet.ServletContextHandler;
import org.eclipse.jetty.ee10.servlet.ServletHolder;
import org.eclipse.jetty.server.Server;
import org.eclipse.jetty.server.ServerConnector;
import org.h2.jdbcx.JdbcConnectionPool;
import org.springframework.beans.factory.config.ConfigurableListableBeanFactory;
import org.springframework.context.annotation.AnnotationConfigApplicationContext;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.context.annotation.Import;
import org.springframework.context.annotation.Primary;
import org.springframework.orm.jpa.JpaTransactionManager;
import org.springframework.orm.jpa.LocalContainerEntityManagerFactoryBean;

/** HAPI FHIR's JPA server for R4 over H2 in memory, with a base for each tenant, on a free port of this machine: says `PORT n`, runs until killed. */
public class FhirServer {

    @Configuration
    @Import({
        JpaR4Config.class,
        HapiJpaConfig.class,
        JpaBatch2Config.class,
        Batch2JobsConfig.class,
        SubscriptionChannelConfig.class,
        ThreadPoolFactoryConfig.class
    })
    public static class House {
        @Bean
        public JpaStorageSettings storageSettings() {
            JpaStorageSettings settings = new JpaStorageSettings();
            settings.setSchedulingDisabled(true);
            return settings;
        }

        @Bean
        public PartitionSettings partitionSettings() {
            PartitionSettings settings = new PartitionSettings();
            settings.setPartitioningEnabled(true);
            return settings;
        }

        @Bean
        public DataSource dataSource() {
            return JdbcConnectionPool.create("jdbc:h2:mem:fhir;DB_CLOSE_DELAY=-1", "sa", "");
        }

        @Primary
        @Bean
        public LocalContainerEntityManagerFactoryBean entityManagerFactory(
                ConfigurableListableBeanFactory factory, FhirContext context, JpaStorageSettings settings, DataSource source) {
            LocalContainerEntityManagerFactoryBean made =
                    HapiEntityManagerFactoryUtil.newEntityManagerFactory(factory, context, settings);
            made.setPersistenceUnitName("HAPI_PU");
            made.setDataSource(source);
            Properties properties = new Properties();
            properties.put("hibernate.dialect", HapiFhirH2Dialect.class.getName());
            properties.put("hibernate.hbm2ddl.auto", "create");
            properties.put("hibernate.search.enabled", "false");
            made.setJpaProperties(properties);
            return made;
        }

        @Primary
        @Bean
        public JpaTransactionManager transactionManager(EntityManagerFactory factory) {
            return new JpaTransactionManager(factory);
        }
    }

    public static void main(String[] words) throws Exception {
        AnnotationConfigApplicationContext beans = new AnnotationConfigApplicationContext(House.class);
        RestfulServer fhir = new RestfulServer(beans.getBean(FhirContext.class));
        fhir.registerProviders(beans.getBean("myResourceProvidersR4", ResourceProviderFactory.class).createProviders());
        fhir.registerProvider(beans.getBean(JpaSystemProvider.class));
        fhir.setServerConformanceProvider(new JpaCapabilityStatementProvider(
                fhir,
                beans.getBean("mySystemDaoR4", IFhirSystemDao.class),
                beans.getBean(JpaStorageSettings.class),
                beans.getBean(ISearchParamRegistry.class),
                beans.getBean(IValidationSupport.class)));
        fhir.setTenantIdentificationStrategy(new UrlBaseTenantIdentificationStrategy());
        fhir.registerInterceptor(beans.getBean(RequestTenantPartitionInterceptor.class));
        fhir.registerProvider(beans.getBean(PartitionManagementProvider.class));
        fhir.setPagingProvider(beans.getBean(DatabaseBackedPagingProvider.class));
        fhir.setDefaultResponseEncoding(EncodingEnum.JSON);
        Server jetty = new Server();
        ServerConnector door = new ServerConnector(jetty);
        door.setHost("127.0.0.1");
        jetty.addConnector(door);
        ServletContextHandler context = new ServletContextHandler("/");
        context.addServlet(new ServletHolder(fhir), "/fhir/*");
        jetty.setHandler(context);
        jetty.start();
        System.out.println("PORT " + door.getLocalPort());
        System.out.flush();
        jetty.join();
    }
}
